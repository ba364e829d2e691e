// What `predict` prints of an image. Local.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace mnist_dist::cli {

struct PredictedImage {
  std::string image;                     ///< its path
  bool inverted = false;                 ///< before it was classified
  std::span<const float> probabilities;  ///< by class
};

/// "IMAGE  CLASS  PROBABILITY", and so on for `top` classes, the most probable first.
[[nodiscard]] std::string plain_line(const PredictedImage& prediction, const std::vector<std::string>& classes,
                                     std::size_t top);

/// image,label,probability,label_2,probability_2, ... for `top` classes; quoted as RFC 4180 says.
[[nodiscard]] std::string csv_header(std::size_t top);
[[nodiscard]] std::string csv_line(const PredictedImage& prediction, const std::vector<std::string>& classes,
                                   std::size_t top);

/// A JSON object. @param top classes in "probabilities", the most probable first; 0: all in their own order
[[nodiscard]] std::string json_line(const PredictedImage& prediction, const std::vector<std::string>& classes,
                                    std::size_t top);

}  // namespace mnist_dist::cli
