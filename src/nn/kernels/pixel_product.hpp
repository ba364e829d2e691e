// The first layer's product: pixels times weights.
#pragma once

#include <cstddef>

#include "mnist_dist/nn/pixel_lists.hpp"

namespace mnist_dist::nn {

/// sums = pixels (scale weights), row by row, each element one chain of multiply-adds over the inputs in their order
/// that leaves out groups of zeros; and mean_sum = the same of a row that has the negative means as pixels.
struct PixelProduct {
  PixelLists lists;
  std::size_t rows;
  std::size_t inputs;
  const float* scale;          ///< [inputs, padded to groups with zeros]
  const float* negative_mean;  ///< [inputs, padded to groups with zeros]
  const float* weights;        ///< [inputs x columns]
  std::size_t columns;         ///< a multiple of 16
  float* sums;                 ///< [rows x columns]
  std::size_t sums_stride;
  float* mean_sum;  ///< [columns]
};
void multiply_pixels(const PixelProduct& product);

}  // namespace mnist_dist::nn
