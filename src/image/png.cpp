#include "mnist_dist/image/png.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "descriptor.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/retry.hpp"
#include "png_context.hpp"

namespace mnist_dist::image {

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
