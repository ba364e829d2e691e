// Draws an image anew, each pixel from another place. Local.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "mnist_dist/core/aligned_vector.hpp"
#include "mnist_dist/data/augment/affine_map.hpp"
#include "mnist_dist/data/dataset_file.hpp"

namespace mnist_dist::data {

/// How far beside the place that the affine map says each pixel's source lies. Owns nothing.
struct Displacements {
  std::span<const float> x;  ///< [height x width], to the right; empty: nothing is displaced
  std::span<const float> y;  ///< [height x width], down
  float scale = 0.0F;        ///< pixels per unit of x and y
};

/// Warps images of one shape. One thread per object: it owns the buffers that a warp needs, so that none allocates.
class ImageWarp {
 public:
  /// @param shape 1 or 3 channels, at most 2^24 pixels
  explicit ImageWarp(const ImageShape& shape);

  /// The pixel at (x, y) becomes what lies at map(x, y) + scale * (displacements.x, displacements.y) there: bilinear
  /// between the four pixels around this place, rounded to the nearest; black (0) outside the image.
  /// @param pixels, warped [height x width x channels], not overlapping
  void apply(const AffineMap& map, const Displacements& displacements, std::span<const std::uint8_t> pixels,
             std::span<std::uint8_t> warped);

 private:
  void load_channel(std::span<const std::uint8_t> pixels, std::size_t channel);

  ImageShape shape_;
  std::size_t area_;                // height * width
  AlignedVector<float> column_of_;  // [area_]: a pixel's x and y
  AlignedVector<float> row_of_;
  AlignedVector<float> no_displacements_;  // [area_] zeros
  AlignedVector<std::uint32_t> corner_;    // [area_]: the first of the two pairs_ that a pixel is made of
  AlignedVector<float> right_;             // [area_]: the share of the right one of the two
  AlignedVector<float> below_;             // [area_]: the share of the lower row
  AlignedVector<std::uint16_t> pairs_;     // pixels of padded_, each with the one below it
  AlignedVector<std::uint8_t> padded_;     // a channel with a black frame
  AlignedVector<std::uint8_t> plane_;      // [area_]: a warped channel of a colour image
};

}  // namespace mnist_dist::data
