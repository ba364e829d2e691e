// A first look at a file of whatever kind.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace mnist_dist::image {

inline constexpr std::string_view kPngSignature = "\x89PNG\r\n\x1a\n";
inline constexpr std::string_view kJpegSignature = "\xff\xd8\xff";

/// Whether the bytes begin with the signature, or are the beginning of it.
[[nodiscard]] bool agrees(std::span<const std::byte> bytes, std::string_view signature);

/// What a file starts with, for a person who wonders what it is: "it is a GIF file", "it starts with ...".
[[nodiscard]] std::string describe_start(std::span<const std::byte> bytes);

}  // namespace mnist_dist::image
