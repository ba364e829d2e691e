#include "mnist_dist/image/image_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "descriptor.hpp"
#include "file_start.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/image/jpeg.hpp"
#include "mnist_dist/image/png.hpp"
#include "png_header.hpp"

namespace mnist_dist::image {
namespace {

// Most files are read by one call of this size.
constexpr std::size_t kFirstRead = std::size_t{1} << 16;
// More than the largest image takes in any coding of PNG (8 bytes a pixel), and room for text and profiles.
constexpr std::size_t kMaximumFileSize = std::size_t{256} << 20;

// Reads until `buffer` is full or the file ends. @return the number of bytes
std::size_t read_up_to(int descriptor, std::span<std::byte> buffer, const std::filesystem::path& path) {
  std::size_t used = 0;
  while (used < buffer.size()) {
    const ssize_t count = retry([&] { return read(descriptor, buffer.data() + used, buffer.size() - used); });
    if (count < 0) throw file_error(fmt::format("cannot read {}", printable(path.string())), errno);
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
  }
  return used;
}

// Refuses a file for which its first bytes are enough.
void check_start(std::span<const std::byte> bytes, const std::string& name) {
  if (agrees(bytes, kJpegSignature)) return;
  if (agrees(bytes, kPngSignature)) return check_png_header(bytes, name);
  throw Error(ExitCode::bad_data,
              fmt::format("{}: neither a PNG nor a JPEG file ({})", printable(name), describe_start(bytes)));
}

Image decode(std::span<const std::byte> bytes, const std::string& name) {
  return agrees(bytes, kJpegSignature) ? decode_jpeg(bytes, name) : decode_png(bytes, name);
}

Picture decode_picture(std::span<const std::byte> bytes, const std::string& name) {
  return agrees(bytes, kJpegSignature) ? opaque_picture(decode_jpeg(bytes, name)) : decode_png_picture(bytes, name);
}

// Without O_NONBLOCK, a named pipe called x.png would be waited for.
Descriptor open_file(const std::filesystem::path& path) {
  const int descriptor = retry([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); });
  if (descriptor < 0) throw file_error(fmt::format("cannot read {}", printable(path.string())), errno);
  return Descriptor(descriptor);
}

// Reads to the end. @param decode makes an image of bytes and their name
template <class Decode>
auto read_and_decode(int descriptor, const std::string& name, const Decode& decode) {
  thread_local std::vector<std::byte> first(kFirstRead);
  const std::size_t size = read_up_to(descriptor, first, name);
  check_start(std::span(first).first(size), name);
  if (size < first.size()) return decode(std::span(std::as_const(first)).first(size), name);

  std::vector<std::byte> bytes = first;
  std::size_t used = size;
  while (used == bytes.size()) {
    if (used > kMaximumFileSize) {
      throw Error(ExitCode::bad_data, fmt::format("{}: larger than {} MiB, the limit for one image", printable(name),
                                                  kMaximumFileSize >> 20));
    }
    bytes.resize(2 * used);
    used += read_up_to(descriptor, std::span(bytes).subspan(used), name);
  }
  return decode(std::span(std::as_const(bytes)).first(used), name);
}

}  // namespace

std::string_view format_of_file(const std::filesystem::path& path) {
  const Descriptor file(open_file(path));
  std::array<std::byte, kFormatBytes> start{};
  return format_of(std::span(start).first(read_up_to(file.get(), start, path)));
}

Image read_image(const std::filesystem::path& path) {
  return read_and_decode(open_file(path).get(), path.string(), decode);
}

Picture read_picture(const std::filesystem::path& path) {
  return read_and_decode(open_file(path).get(), path.string(), decode_picture);
}

Picture read_picture_from_standard_input() {
  return read_and_decode(STDIN_FILENO, "standard input", decode_picture);
}

}  // namespace mnist_dist::image
