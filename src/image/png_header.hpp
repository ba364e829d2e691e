// A first look at a PNG file.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace mnist_dist::image {

/// Checks the signature and that the image is not too large, on a file's first bytes (24 are enough, where it
/// has as many). @throws Error (bad_data)
void check_png_header(std::span<const std::byte> bytes, const std::string& name);

}  // namespace mnist_dist::image
