// From pixels to what the network sees. Local.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace mnist_dist::data {

/// z-scores, input by input: x = (pixel - mean) / standard deviation; 0 where the deviation is 0, since such
/// an input never told anything.
class Standardizer {
 public:
  /// @param mean, standard_deviation [inputs], over the training images
  Standardizer(std::span<const float> mean, std::span<const float> standard_deviation);

  [[nodiscard]] std::size_t inputs() const { return scale_.size(); }
  /// One row. @param pixels [inputs]  @param values [inputs], overwritten
  void apply(std::span<const std::uint8_t> pixels, std::span<float> values) const;

 private:
  std::vector<float> scale_;   // 1 / standard deviation, or 0
  std::vector<float> offset_;  // -mean / standard deviation, or 0
};

}  // namespace mnist_dist::data
