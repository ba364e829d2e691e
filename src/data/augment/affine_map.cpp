#include "mnist_dist/data/augment/affine_map.hpp"

#include <cmath>
#include <numbers>

namespace mnist_dist::data {

AffineMap affine_map(const ImageShape& shape, const AffineChange& change) {
  // With the centre c and the shift t, a source point s is drawn at o: o - c = R K D (s - c) + t, where D scales,
  // K = (1 k; 0 1) shears and R = (cos sin; -sin cos) turns counter-clockwise (y points down). Hence
  // s = M (o - c - t) + c with M = D^-1 K^-1 R^-1.
  const double angle = change.rotation * (std::numbers::pi / 180.0);
  const double cosine = std::cos(angle);
  const double sine = std::sin(angle);
  const double x_by_x = (cosine - change.shear * sine) / change.scale_x;
  const double x_by_y = (-sine - change.shear * cosine) / change.scale_x;
  const double y_by_x = sine / change.scale_y;
  const double y_by_y = cosine / change.scale_y;
  const double centre_x = (static_cast<double>(shape.width) - 1.0) / 2.0;
  const double centre_y = (static_cast<double>(shape.height) - 1.0) / 2.0;
  const double moved_x = centre_x + change.shift_x;
  const double moved_y = centre_y + change.shift_y;
  return {.x_by_x = static_cast<float>(x_by_x),
          .x_by_y = static_cast<float>(x_by_y),
          .x_offset = static_cast<float>(centre_x - (x_by_x * moved_x + x_by_y * moved_y)),
          .y_by_x = static_cast<float>(y_by_x),
          .y_by_y = static_cast<float>(y_by_y),
          .y_offset = static_cast<float>(centre_y - (y_by_x * moved_x + y_by_y * moved_y))};
}

}  // namespace mnist_dist::data
