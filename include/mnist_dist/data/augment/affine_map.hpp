// Straight changes of an image (turned, larger or smaller, slanted, moved) as one map from where a pixel is drawn to
// where it comes from. Local.
#pragma once

#include "mnist_dist/data/dataset_file.hpp"

namespace mnist_dist::data {

/// What happens to an image, in this order, about its centre. x points right, y down, both in pixels.
struct AffineChange {
  double scale_x = 1.0;   ///< the image becomes so many times as wide; not 0
  double scale_y = 1.0;   ///< and so many times as high; not 0
  double shear = 0.0;     ///< a pixel `y` below the centre moves right by shear * y
  double rotation = 0.0;  ///< degrees, counter-clockwise
  double shift_x = 0.0;   ///< pixels, to the right
  double shift_y = 0.0;   ///< pixels, down
};

/// The pixel drawn at (x, y) comes from (x_by_x * x + x_by_y * y + x_offset, y_by_x * x + y_by_y * y + y_offset);
/// (0, 0) is the centre of the first pixel.
struct AffineMap {
  float x_by_x = 1.0F;
  float x_by_y = 0.0F;
  float x_offset = 0.0F;
  float y_by_x = 0.0F;
  float y_by_y = 1.0F;
  float y_offset = 0.0F;
};

/// Where the pixels of a changed image come from: the inverse of the change.
[[nodiscard]] AffineMap affine_map(const ImageShape& shape, const AffineChange& change);

}  // namespace mnist_dist::data
