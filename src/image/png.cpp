#include "mnist_dist/image/png.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>

#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/retry.hpp"
#include "png_context.hpp"
#include "png_header.hpp"

namespace mnist_dist::image {
namespace {

// Most files are read by one call of this size.
constexpr std::size_t kFirstRead = std::size_t{1} << 16;
// More than the largest image takes in any coding of PNG (8 bytes a pixel), and room for text and profiles.
constexpr std::size_t kMaximumFileSize = std::size_t{256} << 20;

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] int close() { return close_once(std::exchange(descriptor_, -1)); }

 private:
  int descriptor_;
};

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

// Without O_NONBLOCK, a named pipe called x.png would be waited for.
int open_file(const std::filesystem::path& path) {
  const int descriptor = retry([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); });
  if (descriptor < 0) throw file_error(fmt::format("cannot read {}", printable(path.string())), errno);
  return descriptor;
}

// Reads to the end. @param decode makes an image of bytes and their name
template <class Decode>
auto read_and_decode(int descriptor, const std::string& name, const Decode& decode) {
  thread_local std::vector<std::byte> first(kFirstRead);
  const std::size_t size = read_up_to(descriptor, first, name);
  if (size < first.size()) return decode(std::span(std::as_const(first)).first(size), name);

  check_png_header(first, name);
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

Image read_png(const std::filesystem::path& path) {
  return read_and_decode(Descriptor(open_file(path)).get(), path.string(), decode_png);
}

Picture read_png_picture(const std::filesystem::path& path) {
  return read_and_decode(Descriptor(open_file(path)).get(), path.string(), decode_png_picture);
}

Picture read_png_picture_from_standard_input() {
  return read_and_decode(STDIN_FILENO, "standard input", decode_png_picture);
}

bool is_png_file(const std::filesystem::path& path) {
  const Descriptor file(open_file(path));
  std::array<std::byte, 8> start{};
  return starts_like_png(std::span(start).first(read_up_to(file.get(), start, path)));
}

std::vector<std::byte> encode_png(const Image& image) {
  const auto check = [](int result) {
    if (result != SPNG_OK) {
      throw Error(ExitCode::bug, fmt::format("cannot encode a PNG image: {}", spng_strerror(result)));
    }
  };
  const PngContext context(spng_ctx_new(SPNG_CTX_ENCODER));
  if (context == nullptr) throw std::bad_alloc();
  spng_ihdr header{};
  header.width = static_cast<std::uint32_t>(image.width);
  header.height = static_cast<std::uint32_t>(image.height);
  header.bit_depth = 8;
  header.color_type = image.channels == 1 ? SPNG_COLOR_TYPE_GRAYSCALE : SPNG_COLOR_TYPE_TRUECOLOR;
  check(spng_set_ihdr(context.get(), &header));
  check(spng_set_option(context.get(), SPNG_ENCODE_TO_BUFFER, 1));
  check(spng_encode_image(context.get(), image.pixels.data(), image.pixels.size(), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE));
  std::size_t size = 0;
  int result = SPNG_OK;
  const std::unique_ptr<void, decltype(&std::free)> buffer(spng_get_png_buffer(context.get(), &size, &result),
                                                           std::free);
  check(result);
  const auto* first = static_cast<const std::byte*>(buffer.get());
  return {first, first + size};
}

void write_png(const std::filesystem::path& path, const Image& image) {
  const std::vector<std::byte> bytes = encode_png(image);
  const auto fail = [&] { throw file_error(fmt::format("cannot write {}", printable(path.string())), errno); };
  Descriptor file(retry([&] { return open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666); }));
  if (file.get() < 0) fail();
  std::span<const std::byte> rest = bytes;
  while (!rest.empty()) {
    const ssize_t count = retry([&] { return write(file.get(), rest.data(), rest.size()); });
    if (count < 0) fail();
    rest = rest.subspan(static_cast<std::size_t>(count));
  }
  if (file.close() != 0) fail();
}

void write_png_atomically(const std::filesystem::path& path, const Image& image) {
  write_file_atomically(path, encode_png(image));
}

}  // namespace mnist_dist::image
