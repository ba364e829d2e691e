#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <string>

#include "mnist_dist/image/png.hpp"
#include "png_builder.hpp"

using namespace mnist_dist;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// Samples and opacities from 0 to the largest, in all pairs that 17 columns and rows can show.
PngBuilder builder(unsigned bit_depth, unsigned colour_type) {
  PngBuilder png;
  png.width = 17;
  png.height = 17;
  png.bit_depth = bit_depth;
  png.colour_type = colour_type;
  const unsigned most = (1U << bit_depth) - 1;
  png.sample = [=](std::size_t x, std::size_t y, std::size_t channel) {
    const bool opacity = (colour_type == 4 && channel == 1) || channel == 3;
    return static_cast<unsigned>(most * (opacity ? y : (x + 5 * channel) % 17) / 16);
  };
  return png;
}

}  // namespace

TEST_CASE("a picture over black is the image that decode_png() gives, for every kind of PNG file") {
  for (const unsigned colour_type : {0U, 2U, 4U, 6U}) {
    for (const unsigned bit_depth : {8U, 16U}) {
      CAPTURE(colour_type);
      CAPTURE(bit_depth);
      PngBuilder png = builder(bit_depth, colour_type);
      if (colour_type == 0) png.transparency = std::string("\0\0", 2);
      const std::string bytes = png.bytes();
      const image::Image image = image::decode_png(bytes_of(bytes), "x.png");
      const image::Image flat = flatten(image::decode_png_picture(bytes_of(bytes), "x.png"), {0, 0, 0}, false);
      CHECK(flat.channels == image.channels);
      CHECK(flat.pixels == image.pixels);
    }
  }
}

TEST_CASE("opacity mixes a picture, inverted or not, with the colour behind it") {
  for (const unsigned bit_depth : {8U, 16U}) {
    const std::string bytes = builder(bit_depth, 6).bytes();
    const image::Picture picture = image::decode_png_picture(bytes_of(bytes), "x.png");
    const double most = (1U << bit_depth) - 1;
    for (const bool inverted : {false, true}) {
      const image::Image flat = flatten(picture, {200, 100, 255}, inverted);
      const PngBuilder png = builder(bit_depth, 6);
      for (std::size_t i = 0; i < flat.pixels.size(); ++i) {
        const std::size_t x = i / 3 % 17;
        const std::size_t y = i / 3 / 17;
        const double opacity = png.sample(x, y, 3) / most;
        const double sample = png.sample(x, y, i % 3) / most;
        const double behind = i % 3 == 0 ? 200 : i % 3 == 1 ? 100 : 255;
        const double mixed = 255 * (inverted ? 1 - sample : sample) * opacity + behind * (1 - opacity);
        CHECK(flat.pixels[i] == std::lround(mixed));
      }
    }
  }
}

TEST_CASE("a grey picture stays grey over a grey, and takes the colour that lies behind it") {
  const std::string bytes = builder(8, 4).bytes();
  const image::Picture picture = image::decode_png_picture(bytes_of(bytes), "x.png");
  CHECK(flatten(picture, {7, 7, 7}, false).channels == 1);
  const image::Image colour = flatten(picture, {7, 8, 9}, false);
  CHECK(colour.channels == 3);
  CHECK(std::vector<std::uint8_t>(colour.pixels.begin(), colour.pixels.begin() + 3) ==
        std::vector<std::uint8_t>{7, 8, 9});
}
