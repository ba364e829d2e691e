// Smooth random displacements, one for every pixel: the elastic distortion of Simard, Steinkraus & Platt, "Best
// practices for convolutional neural networks applied to visual document analysis", ICDAR 2003, section 2. Local.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "mnist_dist/core/aligned_vector.hpp"

namespace mnist_dist::data {

/// Two fields, of horizontal and of vertical displacements: white noise in [-1, 1], smoothed.
///
/// Simard et al. smooth a random number per pixel with a Gaussian. What they get is so smooth that far fewer numbers
/// say the same: here they lie on a grid that is sqrt(3) sigma wide, and each spreads a cubic B-spline of the
/// variance sigma^2, within 4 % of the Gaussian's height (Unser, "Splines: a perfect fit for signal and image
/// processing", IEEE Signal Processing Magazine 1999); every pixel is then reached by 4 x 4 of them, not by hundreds.
/// Every pixel's displacement has the same variance, those at the edge too.
class ElasticField {
 public:
  /// @param height, width of the fields in pixels, at least 1
  /// @param smoothing sigma in pixels; below 1/sqrt(3) it counts as 1/sqrt(3), where the grid is that of the pixels
  ElasticField(std::size_t height, std::size_t width, double smoothing);

  /// The number of random words that a pair of fields is made of.
  [[nodiscard]] std::size_t words() const { return noise_.size() / 4; }
  /// Makes the pair of fields out of `random`, [words()]; they stay until the next call.
  void generate(std::span<const std::uint32_t> random);
  /// To the right and down, [height x width] each; of no certain unit: see largest().
  [[nodiscard]] std::span<const float> x() const { return std::span(x_).first(size_); }
  [[nodiscard]] std::span<const float> y() const { return std::span(y_).first(size_); }
  /// The largest component of both fields, without its sign. Dividing by it makes it one pixel.
  [[nodiscard]] float largest() const { return largest_; }

 private:
  std::size_t size_;  // height * width
  std::size_t width_;
  std::size_t padded_width_;  // the width, rounded up to whole vectors
  std::size_t node_rows_;     // of the grid of random numbers
  std::size_t node_columns_;
  AlignedVector<float> row_weights_;          // [height x 4]: of the four rows of nodes that reach a row of pixels
  AlignedVector<std::uint32_t> first_nodes_;  // [height]: the first of these rows
  AlignedVector<float> column_weights_;       // [node_columns_ x padded_width_]
  AlignedVector<float> noise_;                // [2 fields x node_rows_ x node_columns_], rounded up to whole words
  AlignedVector<float> lines_;  // [2 fields x node_rows_ x padded_width_]: smooth along x, not yet along y
  AlignedVector<float> x_;      // [size_] and room for the last line's padding
  AlignedVector<float> y_;
  float largest_ = 0.0F;
};

}  // namespace mnist_dist::data
