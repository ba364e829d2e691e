// From pixels to what the network sees. Local.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace mnist_dist::data {

/// z-scores, input by input: x = (pixel - mean) / standard deviation = scale pixel + offset; 0 where the deviation is 0,
/// since such an input never told anything. The two parts are kept apart: a black pixel, of which most images have many,
/// is an exact zero until the offset, which is the same for all rows, is added.
class Standardizer {
 public:
  /// @param mean, standard_deviation [inputs], over the training images
  Standardizer(std::span<const float> mean, std::span<const float> standard_deviation);

  /// One row without its offsets. @param pixels [inputs]  @param values [inputs], overwritten: scale pixel
  void scale(std::span<const std::uint8_t> pixels, std::span<float> values) const;
  /// What is to be added to every row: -mean / standard deviation, or 0. [inputs]
  [[nodiscard]] const std::vector<float>& offsets() const { return offsets_; }

 private:
  std::vector<float> scale_;  // 1 / standard deviation, or 0
  std::vector<float> offsets_;
};

}  // namespace mnist_dist::data
