#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/image/image_file.hpp"
#include "mnist_dist/image/png.hpp"
#include "png_builder.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;

namespace {

image::Image decode(const std::string& bytes) {
  return image::decode_png(std::as_bytes(std::span(bytes)), "x.png");
}

std::string error_of(const std::string& bytes) {
  try {
    (void)decode(bytes);
  } catch (const Error& error) {
    CHECK(error.exit_code() == ExitCode::bad_data);
    return error.what();
  }
  return "no error";
}

// Values that look random and reach both ends.
unsigned scrambled(std::size_t x, std::size_t y, std::size_t channel, unsigned bits) {
  const auto hash = static_cast<std::uint32_t>((x * 73856093U) ^ (y * 19349663U) ^ (channel * 83492791U)) * 2654435761U;
  return (x == 0 ? 0xffffffffU : x == 1 ? 0U : hash) >> (32 - bits);
}

PngBuilder builder(unsigned bit_depth, unsigned colour_type) {
  PngBuilder png;
  png.width = 13;  // no multiple of 8: the last byte of a line and the last pass are only partly used
  png.height = 11;
  png.bit_depth = bit_depth;
  png.colour_type = colour_type;
  png.sample = [bit_depth](std::size_t x, std::size_t y, std::size_t channel) {
    return scrambled(x, y, channel, bit_depth);
  };
  return png;
}

// What a sample of `bits` bits with an alpha of as many becomes: over black, scaled to 8 bits, rounded.
unsigned expected(unsigned value, unsigned alpha, unsigned bits) {
  const double full = (1U << bits) - 1;
  return static_cast<unsigned>(std::lround(255.0 * (value / full) * (alpha / full)));
}

void check_image(const image::Image& image, const PngBuilder& png, std::size_t channels,
                 const PngBuilder::Sample& expected_sample) {
  REQUIRE(image.width == png.width);
  REQUIRE(image.height == png.height);
  REQUIRE(image.channels == channels);
  REQUIRE(image.pixels.size() == png.width * png.height * channels);
  for (std::size_t y = 0; y < png.height; ++y) {
    for (std::size_t x = 0; x < png.width; ++x) {
      for (std::size_t channel = 0; channel < channels; ++channel) {
        const unsigned found = image.pixels[(y * png.width + x) * channels + channel];
        if (found != expected_sample(x, y, channel)) {
          CAPTURE(x);
          CAPTURE(y);
          CAPTURE(channel);
          CHECK(found == expected_sample(x, y, channel));
          return;
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("grey and colour PNGs of every bit depth, interlaced or not, decode to their samples") {
  for (const unsigned colour_type : {0U, 2U}) {
    for (const unsigned bit_depth : {1U, 2U, 4U, 8U, 16U}) {
      if (colour_type == 2 && bit_depth < 8) continue;
      for (const bool interlaced : {false, true}) {
        CAPTURE(colour_type);
        CAPTURE(bit_depth);
        CAPTURE(interlaced);
        PngBuilder png = builder(bit_depth, colour_type);
        png.interlaced = interlaced;
        check_image(decode(png.bytes()), png, colour_type == 2 ? 3 : 1, [&](auto x, auto y, auto channel) {
          const unsigned full = (1U << bit_depth) - 1;
          return expected(png.sample(x, y, channel), full, bit_depth);
        });
      }
    }
  }
}

TEST_CASE("alpha is composited over black") {
  for (const unsigned colour_type : {4U, 6U}) {
    for (const unsigned bit_depth : {8U, 16U}) {
      for (const bool interlaced : {false, true}) {
        CAPTURE(colour_type);
        CAPTURE(bit_depth);
        PngBuilder png = builder(bit_depth, colour_type);
        png.interlaced = interlaced;
        const std::size_t channels = colour_type == 6 ? 3 : 1;
        check_image(decode(png.bytes()), png, channels, [&](auto x, auto y, auto channel) {
          return expected(png.sample(x, y, channel), png.sample(x, y, channels), bit_depth);
        });
      }
    }
  }
}

TEST_CASE("palettes of every bit depth become colours, their transparency black") {
  for (const unsigned bit_depth : {1U, 2U, 4U, 8U}) {
    for (const bool transparent : {false, true}) {
      CAPTURE(bit_depth);
      CAPTURE(transparent);
      PngBuilder png = builder(bit_depth, 3);
      for (unsigned i = 0; i < 1U << bit_depth; ++i)
        png.palette.push_back({(i * 37) % 256, (i * 91 + 5) % 256, 255 - i});
      if (transparent) png.transparency = std::string("\x00\x80", 2);  // the others are opaque
      check_image(decode(png.bytes()), png, 3, [&](auto x, auto y, auto channel) {
        const unsigned index = png.sample(x, y, 0);
        const unsigned alpha = !transparent || index > 1 ? 255 : index == 0 ? 0 : 128;
        return expected(png.palette[index][channel], alpha, 8);
      });
    }
  }
}

TEST_CASE("the transparent colour of a PNG without alpha becomes black, and no other does") {
  for (const unsigned colour_type : {0U, 2U}) {
    for (const unsigned bit_depth : {2U, 4U, 8U, 16U}) {
      if (colour_type == 2 && bit_depth < 8) continue;
      CAPTURE(colour_type);
      CAPTURE(bit_depth);
      PngBuilder png = builder(bit_depth, colour_type);
      const unsigned chosen = scrambled(5, 7, 0, bit_depth);
      REQUIRE(chosen != 0);
      png.sample = [&](std::size_t x, std::size_t y, std::size_t) { return scrambled(x, y, 0, bit_depth); };
      const std::string value{static_cast<char>(chosen >> 8), static_cast<char>(chosen & 0xff)};
      png.transparency = value;
      if (colour_type == 2) png.transparency.append(value).append(value);
      check_image(decode(png.bytes()), png, colour_type == 2 ? 3 : 1, [&](auto x, auto y, auto channel) {
        const unsigned full = (1U << bit_depth) - 1;
        const unsigned found = png.sample(x, y, channel);
        return found == chosen ? 0U : expected(found, full, bit_depth);
      });
    }
  }
}

TEST_CASE("what is no PNG file is said to be so, with what it looks like") {
  CHECK(error_of("") == "x.png: not a PNG file (it is empty)");
  CHECK(error_of("hello world") == "x.png: not a PNG file (it starts with \"hello wo\")");
  CHECK(error_of("\xff\xd8\xff\xe0 and so on") == "x.png: not a PNG file (it is a JPEG file)");
  CHECK(error_of("GIF89a") == "x.png: not a PNG file (it is a GIF file)");
  CHECK(error_of(std::string("\x01\x02\xff", 3)) == "x.png: not a PNG file (it starts with the bytes 01 02 ff)");
  CHECK(error_of("a\nb\x1b[2J") == "x.png: not a PNG file (it starts with the bytes 61 0a 62 1b 5b 32 4a)");
}

TEST_CASE("a PNG file that is cut anywhere is truncated, and one with more after its end is whole") {
  const std::string whole = builder(8, 2).bytes();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(error_of(whole.substr(0, size)) == "x.png: truncated PNG file");
  }
  CHECK(error_of(whole) == "no error");
  CHECK(decode(whole + "garbage").pixels == decode(whole).pixels);
}

TEST_CASE("a PNG file with two palettes is damaged") {
  PngBuilder png = builder(2, 3);
  png.palette = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {10, 11, 12}};
  std::string bytes = png.bytes();
  const std::string palette = PngBuilder::chunk("PLTE", "\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c");
  const std::size_t place = bytes.find(palette);
  REQUIRE(place != std::string::npos);
  CHECK(error_of(bytes) == "no error");
  CHECK(error_of(bytes.insert(place, palette)) == "x.png: damaged PNG file (two palettes)");
}

TEST_CASE("a changed byte anywhere is found") {
  PngBuilder png = builder(2, 3);
  png.palette = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {10, 11, 12}};
  png.transparency = "\x7f";  // a chunk that a decoder may do without, and ours may not when it is damaged
  const std::string whole = png.bytes();
  CHECK(error_of(whole) == "no error");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    CAPTURE(i);
    CHECK(error_of(changed) != "no error");
  }
  std::string changed = whole;
  changed[30] = static_cast<char>(changed[30] ^ 1);  // of the header's checksum
  CHECK(error_of(changed) == "x.png: damaged PNG file (a checksum is wrong)");
}

TEST_CASE("an image that is too large is refused by its header alone") {
  PngBuilder png = builder(8, 0);
  std::string bytes = png.bytes();
  const auto with_size = [&](std::size_t width, std::size_t height) {
    const std::string header = PngBuilder::number(width) + PngBuilder::number(height) + std::string("\x08\0\0\0\0", 5);
    return std::string("\x89PNG\r\n\x1a\n") + PngBuilder::chunk("IHDR", header);
  };
  CHECK(error_of(with_size(20000, 20000)) == "x.png: 20000x20000 pixels; the limit is 16777216 pixels in all");
  CHECK(error_of(with_size(4097, 4096)) == "x.png: 4097x4096 pixels; the limit is 16777216 pixels in all");
  CHECK(error_of(with_size(4096, 4096)) == "x.png: truncated PNG file");
  CHECK(error_of(with_size(32769, 1)) == "x.png: 32769x1 pixels; the limit is 32768 pixels a side");
  CHECK(error_of(with_size(1, 32769)) == "x.png: 1x32769 pixels; the limit is 32768 pixels a side");
  CHECK(error_of(with_size(32768, 512)) == "x.png: truncated PNG file");
  CHECK(error_of(with_size(0x7fffffff, 0x7fffffff)).find("the limit") != std::string::npos);
  CHECK(error_of(with_size(0, 5) + PngBuilder::chunk("IEND", "")).find("damaged PNG file") != std::string::npos);
}

TEST_CASE("what is encoded is decoded, and encoded to the same bytes again") {
  for (const std::size_t channels : {std::size_t{1}, std::size_t{3}}) {
    image::Image image{17, 9, channels, std::vector<std::uint8_t>(153 * channels)};
    for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(i * i);
    const std::vector<std::byte> bytes = image::encode_png(image);
    CHECK(bytes == image::encode_png(image));
    const image::Image again = image::decode_png(bytes, "x.png");
    CHECK(again.height == image.height);
    CHECK(again.width == image.width);
    CHECK(again.channels == channels);
    CHECK(again.pixels == image.pixels);
  }
}

TEST_CASE("PNG files are read and written by path, small ones and those that take several reads") {
  const TemporaryFolder folder;
  for (const std::size_t side : {std::size_t{3}, std::size_t{700}}) {
    image::Image image{side, side, 1, std::vector<std::uint8_t>(side * side)};
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      image.pixels[i] = static_cast<std::uint8_t>(scrambled(i % side, i / side, 0, 8));
    }
    const std::filesystem::path path = folder.path() / "x.png";
    image::write_png(path, image);
    if (side == 700) CHECK(std::filesystem::file_size(path) > 200000);
    CHECK(image::read_image(path).pixels == image.pixels);
  }
}

TEST_CASE("a PNG file that cannot be read or written is an error of the file system") {
  const TemporaryFolder folder;
  const auto message_of = [](const auto& function) -> std::string {
    try {
      function();
    } catch (const Error& error) {
      CHECK(error.exit_code() == ExitCode::file_system);
      return error.what();
    }
    return "no error";
  };
  const std::filesystem::path missing = folder.path() / "missing.png";
  CHECK(message_of([&] { (void)image::read_image(missing); }) ==
        "cannot read " + missing.string() + ": No such file or directory");
  CHECK(message_of([&] { (void)image::read_image(folder.path()); }) ==
        "cannot read " + folder.path().string() + ": Is a directory");
  const std::filesystem::path nowhere = folder.path() / "no" / "x.png";
  CHECK(message_of([&] {
          image::write_png(nowhere, {1, 1, 1, {0}});
        }) == "cannot write " + nowhere.string() + ": No such file or directory");
}

TEST_CASE("a named pipe is not waited for") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "pipe.png";
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  CHECK_THROWS_WITH_AS((void)image::read_image(path),
                       (path.string() + ": neither a PNG nor a JPEG file (it is empty)").c_str(), Error);
}
