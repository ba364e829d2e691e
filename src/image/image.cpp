#include "mnist_dist/image/image.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace mnist_dist::image {

std::string size_fault(std::size_t width, std::size_t height) {
  if (width > 0 && height > kMaximumPixels / width) {
    return fmt::format("{}x{} pixels; the limit is {} pixels in all", width, height, kMaximumPixels);
  }
  if (std::max(width, height) > kMaximumSide) {
    return fmt::format("{}x{} pixels; the limit is {} pixels a side", width, height, kMaximumSide);
  }
  return "";
}

}  // namespace mnist_dist::image
