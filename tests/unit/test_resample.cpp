#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/data/image_reader.hpp"
#include "mnist_dist/image/resample.hpp"

using namespace mnist_dist;

namespace {

image::Image gradient(std::size_t height, std::size_t width, std::size_t channels) {
  image::Image image{height, width, channels, std::vector<std::uint8_t>(height * width * channels)};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(i * 7);
  return image;
}

}  // namespace

TEST_CASE("an image of the wanted size is left as it is") {
  const image::Image image = gradient(5, 7, 3);
  CHECK(image::resample(image, 5, 7).pixels == image.pixels);
}

TEST_CASE("an image of one value keeps it at any size") {
  for (const std::size_t channels : {std::size_t{1}, std::size_t{3}}) {
    const image::Image image{10, 20, channels, std::vector<std::uint8_t>(200 * channels, 137)};
    for (const std::size_t side : {std::size_t{1}, std::size_t{7}, std::size_t{28}}) {
      const image::Image result = image::resample(image, side, 2 * side);
      CHECK(result.height == side);
      CHECK(result.width == 2 * side);
      CHECK(result.pixels == std::vector<std::uint8_t>(2 * side * side * channels, 137));
    }
  }
}

TEST_CASE("a large image is averaged, not sampled") {
  // Columns of black and white in turn: every pixel of a much smaller image is grey.
  image::Image image{64, 64, 1, std::vector<std::uint8_t>(4096)};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = i % 2 == 0 ? 0 : 255;
  const image::Image result = image::resample(image, 8, 8);
  for (std::size_t i = 0; i < result.pixels.size(); ++i) {
    const bool at_edge = i % 8 == 0 || i % 8 == 7;  // where the first or last column goes on outside
    CHECK(difference(result.pixels[i], 127) <= (at_edge ? 25 : 3));
  }
}

TEST_CASE("resampling keeps left, right, top, bottom and the channels in their places") {
  image::Image image{40, 60, 3, std::vector<std::uint8_t>(7200)};
  for (std::size_t y = 0; y < 40; ++y) {
    for (std::size_t x = 0; x < 60; ++x) {
      image.pixels[(y * 60 + x) * 3 + 0] = x < 30 ? 200 : 0;
      image.pixels[(y * 60 + x) * 3 + 1] = y < 20 ? 100 : 0;
      image.pixels[(y * 60 + x) * 3 + 2] = 50;
    }
  }
  const image::Image result = image::resample(image, 28, 28);
  const auto at = [&](std::size_t y, std::size_t x) {
    return std::vector<std::uint8_t>(result.pixels.begin() + static_cast<std::ptrdiff_t>((y * 28 + x) * 3),
                                     result.pixels.begin() + static_cast<std::ptrdiff_t>((y * 28 + x) * 3 + 3));
  };
  CHECK(at(3, 3) == std::vector<std::uint8_t>{200, 100, 50});
  CHECK(at(3, 25) == std::vector<std::uint8_t>{0, 100, 50});
  CHECK(at(25, 3) == std::vector<std::uint8_t>{200, 0, 50});
  CHECK(at(25, 25) == std::vector<std::uint8_t>{0, 0, 50});
}

TEST_CASE("grey coded as colour keeps every value, both ways") {
  image::Image grey{16, 16, 1, std::vector<std::uint8_t>(256)};
  for (std::size_t i = 0; i < 256; ++i) grey.pixels[i] = static_cast<std::uint8_t>(i);
  const image::Image colour = image::to_colour(grey);
  CHECK(colour.channels == 3);
  CHECK(image::to_grey(colour).pixels == grey.pixels);
  CHECK(image::to_grey(grey).pixels == grey.pixels);
  CHECK(image::to_colour(colour).pixels == colour.pixels);
}

TEST_CASE("the luma of a colour is that of BT.601") {
  const image::Image colours{1, 5, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 255, 255, 254}};
  CHECK(image::to_grey(colours).pixels == std::vector<std::uint8_t>{76, 150, 29, 18, 255});
}

TEST_CASE("an image is brought into a data set's shape") {
  const image::Image colour = gradient(9, 5, 3);
  CHECK(data::fit_to_shape(colour, {9, 5, 3}) == colour.pixels);
  CHECK(data::fit_to_shape(colour, {9, 5, 1}) == image::to_grey(colour).pixels);
  CHECK(data::fit_to_shape(colour, {4, 4, 1}) == image::resample(image::to_grey(colour), 4, 4).pixels);
  const image::Image grey = gradient(9, 5, 1);
  CHECK(data::fit_to_shape(grey, {4, 4, 3}) == image::to_colour(image::resample(grey, 4, 4)).pixels);
}
