// What the first layer's units look for, as small pictures. Local.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mnist_dist/run/model.hpp"

namespace mnist_dist::report {

struct UnitPictures {
  std::size_t count = 0;  ///< units of the layer
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<std::size_t> shown;    ///< some of the units, the strongest first
  std::vector<std::uint8_t> pixels;  ///< [shown x height x width x channels], 128 for a weight of 0
};

/// A unit's picture is the change of the mean image that excites it most, of all changes that are as likely where each
/// pixel varies by itself: its weight for the standardised pixel, times the pixel's deviation. Each picture is scaled
/// by its own largest value.
[[nodiscard]] UnitPictures draw_units(const run::Model& model);

}  // namespace mnist_dist::report
