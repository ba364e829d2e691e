// Files that hold an image: PNG (image/png.hpp) or JPEG (image/jpeg.hpp), told apart by their first bytes, whatever
// they are called. Local; safe from any thread.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "mnist_dist/image/image.hpp"
#include "mnist_dist/image/picture.hpp"

namespace mnist_dist::image {

/// How many of a file's bytes format_of() looks at.
inline constexpr std::size_t kFormatBytes = 12;

/// Which format of images a file has, by its first bytes: "PNG", "JPEG", or one that is not read, such as "GIF"; empty
/// for anything else.
[[nodiscard]] std::string_view format_of(std::span<const std::byte> start);

/// Whether the format is one that is read.
[[nodiscard]] bool is_read(std::string_view format);

/// The format by the first bytes of a file, whatever it is called. @throws Error (file_system)
[[nodiscard]] std::string_view format_of_file(const std::filesystem::path& path);

/// Reads and decodes a PNG or JPEG file.
/// @throws Error file_system: cannot be read; bad_data: not a whole image of these formats, or too large
[[nodiscard]] Image read_image(const std::filesystem::path& path);

/// The same with transparency kept, for whoever lays the picture over another colour than black.
/// @throws Error as read_image()
[[nodiscard]] Picture read_picture(const std::filesystem::path& path);
[[nodiscard]] Picture read_picture_from_standard_input();

}  // namespace mnist_dist::image
