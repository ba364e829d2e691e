// Draws digits that look written by hand, for trying the program out where no data can be had.
#pragma once

#include <cstddef>

#include "mnist_dist/core/random.hpp"
#include "mnist_dist/image/image.hpp"

namespace mnist_dist::h5pack {

/// A grey image, [size x size], of `digit`, white on black: a way of writing it, bent, slanted, turned, scaled and
/// moved at random, by a pen of random width, with stray strokes and noise. The stream decides all of it.
[[nodiscard]] image::Image draw_digit(int digit, std::size_t size, RandomStream& random);

}  // namespace mnist_dist::h5pack
