// The shapes of the ten digits as they are written by hand, as strokes of a pen.
#pragma once

#include <array>
#include <span>
#include <vector>

namespace mnist_dist::h5pack {

/// A point that a stroke passes through: x to the right, y down; a digit fills about [0.2, 0.8] x [0.1, 0.9].
struct ControlPoint {
  float x = 0.0F;
  float y = 0.0F;
  bool is_corner = false;  ///< the pen turns sharply here, instead of going round
};

using Stroke = std::vector<ControlPoint>;
/// One way to write a digit.
using Glyph = std::vector<Stroke>;

/// The ways in which people write `digit`, which is below 10.
[[nodiscard]] std::span<const Glyph> glyphs_of(int digit);

}  // namespace mnist_dist::h5pack
