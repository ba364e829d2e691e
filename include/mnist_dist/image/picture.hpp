// A decoded file before its transparency is gone: what lies behind it, and whether it is inverted, is decided later.
// Local; safe from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "mnist_dist/image/image.hpp"

namespace mnist_dist::image {

/// 8-bit red, green and blue; a grey is three times the same.
using Colour = std::array<std::uint8_t, 3>;

/// 16-bit red, green, blue and opacity, row-major [height x width x 4]; 8-bit samples are multiplied by 257.
struct Picture {
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 1;  ///< 1: the file is grey, and its red, green and blue are the same; or 3
  std::vector<std::uint16_t> samples;
};

/// An image as a picture without transparency.
[[nodiscard]] Picture opaque_picture(const Image& image);

/// The picture laid over a colour, scaled to 8 bits, rounded. Where the background is grey, a grey picture stays one
/// channel. Over black and not inverted, it is exactly what decode_png() gives.
/// @param inverted the picture's samples are inverted first; its opacity and the background stay
[[nodiscard]] Image flatten(const Picture& picture, const Colour& background, bool inverted);

}  // namespace mnist_dist::image
