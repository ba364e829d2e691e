// An image in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mnist_dist::image {

/// 8-bit samples, row-major [height x width x channels]; 1 channel is grey, 3 are red, green, blue.
struct Image {
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 1;
  std::vector<std::uint8_t> pixels;
};

/// The largest image that is read, in pixels (4096 x 4096); a larger one is refused before memory is taken
/// for it.
inline constexpr std::size_t kMaximumPixels = std::size_t{1} << 24;
/// And its longest side: resampling a longer one takes long.
inline constexpr std::size_t kMaximumSide = 32768;

/// @return what is wrong with an image of this size, such as "40000x9 pixels; the limit is ..."; empty: nothing
[[nodiscard]] std::string size_fault(std::size_t width, std::size_t height);

}  // namespace mnist_dist::image
