// PNG files, the only door to the PNG library. Local; safe from any thread.
//
// Reading takes every bit depth, colour type and interlacing. Fewer than 8 bits and palettes are expanded, 16
// bits are scaled to 8 (rounded, 65535 becomes 255), alpha and transparent colours are composited over black.
// Grey stays one channel; colour and palettes become red, green, blue. Gamma and colour profiles are ignored:
// the samples count as they stand. What follows the image's end in a file is ignored; a damaged or incomplete
// image is an error.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "mnist_dist/image/image.hpp"
#include "mnist_dist/image/picture.hpp"

namespace mnist_dist::image {

/// The largest image that is read, in pixels (4096 x 4096); a larger one is refused before memory is taken
/// for it.
inline constexpr std::size_t kMaximumPixels = std::size_t{1} << 24;
/// And its longest side: resampling a longer one takes long.
inline constexpr std::size_t kMaximumSide = 32768;

/// @return what is wrong with an image of this size, such as "40000x9 pixels; the limit is ..."; empty: nothing
[[nodiscard]] std::string size_fault(std::size_t width, std::size_t height);

/// Decodes a PNG file's bytes. @param name what errors call the file
/// @throws Error (bad_data) when they are not a whole PNG image, or one that is too large
[[nodiscard]] Image decode_png(std::span<const std::byte> bytes, const std::string& name);

/// Reads and decodes a PNG file.
/// @throws Error file_system: cannot be read; bad_data: not a whole PNG image, or too large
[[nodiscard]] Image read_png(const std::filesystem::path& path);

/// The same with transparency kept, for whoever lays the picture over another colour than black.
/// @throws Error as the functions above
[[nodiscard]] Picture decode_png_picture(std::span<const std::byte> bytes, const std::string& name);
[[nodiscard]] Picture read_png_picture(const std::filesystem::path& path);
[[nodiscard]] Picture read_png_picture_from_standard_input();

/// Whether the file begins as PNG files do, whatever it is called. @throws Error (file_system)
[[nodiscard]] bool is_png_file(const std::filesystem::path& path);

/// The bytes of a PNG file, 8 bits grey or colour. The same image always gives the same bytes.
[[nodiscard]] std::vector<std::byte> encode_png(const Image& image);

/// Writes a PNG file, or replaces it; neither atomically nor durably. @throws Error (file_system)
void write_png(const std::filesystem::path& path, const Image& image);

/// Writes a PNG file, or replaces it, atomically and durably (core/atomic_file.hpp). @throws Error (file_system)
void write_png_atomically(const std::filesystem::path& path, const Image& image);

}  // namespace mnist_dist::image
