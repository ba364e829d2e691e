// JPEG images, the only door to the JPEG and Exif libraries. Local; safe from any thread.
//
// Reading takes baseline, progressive and arithmetic coding of 8 bits. Grey stays one channel; YCbCr and RGB become
// red, green, blue, as do CMYK and YCCK, whose samples are taken for inverted, as Adobe's programs write them. The
// orientation that an Exif part states is applied. Colour profiles are ignored: the samples count as they stand. What
// follows the image's end in a file is ignored. JPEG has no checksums: damage is found where the coded data make no
// sense or end too early or too late, and not where they only mean other pixels.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "mnist_dist/image/image.hpp"

namespace mnist_dist::image {

/// Decodes a JPEG file's bytes. @param name what errors call the file
/// @throws Error (bad_data) when they are not a whole JPEG image, or one that is too large
[[nodiscard]] Image decode_jpeg(std::span<const std::byte> bytes, const std::string& name);

}  // namespace mnist_dist::image
