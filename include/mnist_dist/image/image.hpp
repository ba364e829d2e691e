// An image in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mnist_dist::image {

/// 8-bit samples, row-major [height x width x channels]; 1 channel is grey, 3 are red, green, blue.
struct Image {
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 1;
  std::vector<std::uint8_t> pixels;
};

}  // namespace mnist_dist::image
