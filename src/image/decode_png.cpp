#include <fmt/format.h>

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "file_start.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/image/png.hpp"
#include "png_context.hpp"
#include "png_header.hpp"

namespace mnist_dist::image {
namespace {

constexpr std::size_t kHeaderSize = 8 + 4 + 4 + 8;  // signature, length and name of the first chunk, width and height

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw Error(ExitCode::bad_data, fmt::format("{}: {}", printable(name), what));
}

std::size_t read_big_endian(std::span<const std::byte> bytes, std::size_t offset) {
  std::size_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | std::to_integer<std::size_t>(bytes[offset + i]);
  return value;
}

void check(int result, const std::string& name) {
  switch (result) {
    case SPNG_OK:
      return;
    case SPNG_IO_EOF:
    case SPNG_EOF:
    case SPNG_EIDAT_TOO_SHORT:
      fail(name, "truncated PNG file");
    case SPNG_ECHUNK_CRC:
      fail(name, "damaged PNG file (a checksum is wrong)");
    case SPNG_EMEM:
      throw std::bad_alloc();
    default:
      fail(name, fmt::format("damaged PNG file ({})", spng_strerror(result)));
  }
}

std::vector<std::uint8_t> decode_to(spng_ctx* context, spng_format format, const std::string& name) {
  std::size_t size = 0;
  check(spng_decoded_image_size(context, format, &size), name);
  std::vector<std::uint8_t> pixels(size);
  check(spng_decode_image(context, pixels.data(), size, format, SPNG_DECODE_TRNS), name);
  return pixels;
}

// Composites red, green, blue, alpha samples of 8 or 16 bits over black and scales them to 8 bits, rounded.
template <class Sample>
void composite_over_black(const std::vector<std::uint8_t>& samples, Image& image) {
  constexpr std::uint64_t kFull = static_cast<Sample>(~Sample{0});
  image.pixels.resize(image.height * image.width * image.channels);
  std::uint8_t* next = image.pixels.data();
  for (std::size_t pixel = 0; pixel < image.height * image.width; ++pixel) {
    std::array<Sample, 4> colour{};
    std::memcpy(colour.data(), samples.data() + pixel * sizeof(colour), sizeof(colour));
    for (std::size_t channel = 0; channel < image.channels; ++channel) {
      const std::uint64_t product = std::uint64_t{colour[channel]} * colour[3];
      *next++ = static_cast<std::uint8_t>((product * 255 + kFull * kFull / 2) / (kFull * kFull));
    }
  }
}

// libspng passes over two palettes, and an end mark that is not whole.
void check_chunks(std::span<const std::byte> bytes, const std::string& name) {
  constexpr std::size_t kAroundData = 4 + 4 + 4;  // length, type, checksum
  bool has_palette = false;
  std::string_view type;
  bytes = bytes.subspan(kPngSignature.size());
  while (type != "IEND") {
    if (bytes.size() < kAroundData) fail(name, "truncated PNG file");
    const std::size_t size = read_big_endian(bytes, 0);
    if (size > bytes.size() - kAroundData) fail(name, "truncated PNG file");
    type = {reinterpret_cast<const char*>(bytes.data()) + 4, 4};
    if (type == "PLTE" && std::exchange(has_palette, true)) fail(name, "damaged PNG file (two palettes)");
    bytes = bytes.subspan(kAroundData + size);
  }
}

// A PNG file whose header has been read.
struct OpenPng {
  OpenPng(std::span<const std::byte> bytes, const std::string& name) : context(open_context(bytes, name)) {
    check(spng_get_ihdr(context.get(), &header), name);
    spng_trns transparency{};
    const int has_transparency = spng_get_trns(context.get(), &transparency);
    if (has_transparency != SPNG_ECHUNKAVAIL) check(has_transparency, name);
    opaque = has_transparency == SPNG_ECHUNKAVAIL && header.color_type != SPNG_COLOR_TYPE_GRAYSCALE_ALPHA &&
             header.color_type != SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
  }

  static PngContext open_context(std::span<const std::byte> bytes, const std::string& name) {
    check_png_header(bytes, name);
    check_chunks(bytes, name);
    PngContext context(spng_ctx_new(0));
    if (context == nullptr) throw std::bad_alloc();
    check(spng_set_crc_action(context.get(), SPNG_CRC_ERROR, SPNG_CRC_ERROR), name);
    check(spng_set_png_buffer(context.get(), bytes.data(), bytes.size()), name);
    return context;
  }

  [[nodiscard]] std::size_t channels() const {
    const bool grey =
        header.color_type == SPNG_COLOR_TYPE_GRAYSCALE || header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
    return grey ? 1 : 3;
  }

  // After the pixels, the file up to its end mark: without this, what is damaged there would pass.
  void check_rest(const std::string& name) const { check(spng_decode_chunks(context.get()), name); }

  PngContext context;
  spng_ihdr header{};
  bool opaque = false;
};

}  // namespace

void check_png_header(std::span<const std::byte> bytes, const std::string& name) {
  if (!agrees(bytes, kPngSignature)) fail(name, fmt::format("not a PNG file ({})", describe_start(bytes)));
  if (bytes.size() < kHeaderSize) fail(name, "truncated PNG file");
  const std::string fault = size_fault(read_big_endian(bytes, 16), read_big_endian(bytes, 20));
  if (!fault.empty()) fail(name, fault);
}

Image decode_png(std::span<const std::byte> bytes, const std::string& name) {
  const OpenPng png(bytes, name);
  Image image{png.header.height, png.header.width, png.channels(), {}};
  if (png.header.bit_depth == 16) {
    composite_over_black<std::uint16_t>(decode_to(png.context.get(), SPNG_FMT_RGBA16, name), image);
  } else if (!png.opaque) {
    composite_over_black<std::uint8_t>(decode_to(png.context.get(), SPNG_FMT_RGBA8, name), image);
  } else {
    image.pixels = decode_to(png.context.get(), image.channels == 1 ? SPNG_FMT_G8 : SPNG_FMT_RGB8, name);
  }
  png.check_rest(name);
  return image;
}

Picture decode_png_picture(std::span<const std::byte> bytes, const std::string& name) {
  const OpenPng png(bytes, name);
  Picture picture{png.header.height, png.header.width, png.channels(), {}};
  if (png.header.bit_depth == 16) {
    const std::vector<std::uint8_t> samples = decode_to(png.context.get(), SPNG_FMT_RGBA16, name);
    picture.samples.resize(samples.size() / sizeof(std::uint16_t));
    std::memcpy(picture.samples.data(), samples.data(), samples.size());
  } else {
    const std::vector<std::uint8_t> samples = decode_to(png.context.get(), SPNG_FMT_RGBA8, name);
    picture.samples.reserve(samples.size());
    for (const std::uint8_t sample : samples) picture.samples.push_back(static_cast<std::uint16_t>(257U * sample));
  }
  png.check_rest(name);
  return picture;
}

}  // namespace mnist_dist::image
