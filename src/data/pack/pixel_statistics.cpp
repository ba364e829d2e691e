#include "mnist_dist/data/pack/pixel_statistics.hpp"

#include <algorithm>
#include <cmath>

namespace mnist_dist::data {
namespace {

// 255 squared times this many rows still fits into 32 bits.
constexpr std::size_t kFewRows = 65536;

__extension__ typedef unsigned __int128 Wide;

}  // namespace

PixelStatistics::PixelStatistics(std::size_t image_size)
    : image_size_(image_size),
      sums_(image_size),
      sums_of_squares_(image_size),
      few_sums_(image_size),
      few_sums_of_squares_(image_size) {}

void PixelStatistics::add_rows(std::span<const std::uint8_t> pixels) {
  while (!pixels.empty()) {
    const std::size_t taken = std::min(pixels.size(), kFewRows * image_size_);
    add_few_rows(pixels.first(taken));
    pixels = pixels.subspan(taken);
  }
}

void PixelStatistics::add_few_rows(std::span<const std::uint8_t> pixels) {
  std::fill(few_sums_.begin(), few_sums_.end(), 0U);
  std::fill(few_sums_of_squares_.begin(), few_sums_of_squares_.end(), 0U);
  for (std::size_t first = 0; first < pixels.size(); first += image_size_) {
    const std::uint8_t* row = pixels.data() + first;
    for (std::size_t i = 0; i < image_size_; ++i) {
      const std::uint32_t value = row[i];
      few_sums_[i] += value;
      few_sums_of_squares_[i] += value * value;
    }
  }
  rows_ += pixels.size() / image_size_;
  for (std::size_t i = 0; i < image_size_; ++i) {
    sums_[i] += few_sums_[i];
    sums_of_squares_[i] += few_sums_of_squares_[i];
  }
}

std::vector<float> PixelStatistics::mean() const {
  std::vector<float> mean(image_size_, 0.0F);
  if (rows_ == 0) return mean;
  for (std::size_t i = 0; i < image_size_; ++i) {
    mean[i] = static_cast<float>(static_cast<double>(sums_[i]) / static_cast<double>(rows_));
  }
  return mean;
}

std::vector<float> PixelStatistics::standard_deviation() const {
  std::vector<float> deviation(image_size_, 0.0F);
  if (rows_ == 0) return deviation;
  for (std::size_t i = 0; i < image_size_; ++i) {
    // n^2 times the variance is n * sum(x^2) - sum(x)^2, exact in integers: no cancellation, and 0 is 0.
    const Wide scaled_variance = Wide{rows_} * sums_of_squares_[i] - Wide{sums_[i]} * sums_[i];
    deviation[i] = static_cast<float>(std::sqrt(static_cast<double>(scaled_variance)) / static_cast<double>(rows_));
  }
  return deviation;
}

}  // namespace mnist_dist::data
