// Mean and standard deviation of every pixel over many images, from exact integer sums: the same bits for any
// order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mnist_dist::data {

/// Is fed images piece by piece. Local.
class PixelStatistics {
 public:
  /// @param image_size the number of samples of an image
  explicit PixelStatistics(std::size_t image_size);

  /// Any number of images, [images x image_size].
  void add_rows(std::span<const std::uint8_t> pixels);

  /// [image_size]; zeros when there were no images.
  [[nodiscard]] std::vector<float> mean() const;
  /// Of the population (divided by the number of images), [image_size]; exactly zero for a pixel that never
  /// varies.
  [[nodiscard]] std::vector<float> standard_deviation() const;

 private:
  void add_few_rows(std::span<const std::uint8_t> pixels);

  std::size_t image_size_;
  std::uint64_t rows_ = 0;
  std::vector<std::uint64_t> sums_;
  std::vector<std::uint64_t> sums_of_squares_;
  // Of the rows of one add_few_rows(): 32 bits are enough for them and twice as fast.
  std::vector<std::uint32_t> few_sums_;
  std::vector<std::uint32_t> few_sums_of_squares_;
};

}  // namespace mnist_dist::data
