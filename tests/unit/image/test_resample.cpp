#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/core/random.hpp"
#include "mnist_dist/data/image_reader.hpp"
#include "mnist_dist/image/resample.hpp"

using namespace mnist_dist;

namespace {

image::Image gradient(std::size_t height, std::size_t width, std::size_t channels) {
  image::Image image{height, width, channels, std::vector<std::uint8_t>(height * width * channels)};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(i * 7);
  return image;
}

/// The piecewise cubic filter of Mitchell & Netravali at a distance.
double cubic(double b, double c, double x) {
  x = std::fabs(x);
  if (x >= 2) return 0;
  if (x < 1) return ((12 - 9 * b - 6 * c) * x * x * x + (-18 + 12 * b + 6 * c) * x * x + 6 - 2 * b) / 6;
  return ((-b - 6 * c) * x * x * x + (6 * b + 30 * c) * x * x + (-12 * b - 48 * c) * x + 8 * b + 24 * c) / 6;
}

/// What each of `from` samples counts in each of `to`: [to x from]
std::vector<double> weights(std::size_t from, std::size_t to) {
  const double scale = static_cast<double>(to) / static_cast<double>(from);
  const bool enlarged = to > from;
  const auto margin =
      static_cast<int>(std::ceil(2 / scale)) + 2;  // beyond the edge, where the first or last one counts
  std::vector<double> all(to * from);
  for (std::size_t i = 0; i < to; ++i) {
    double sum = 0;
    std::vector<double> row(from);
    for (int j = -margin; j < static_cast<int>(from) + margin; ++j) {
      const double distance = (j + 0.5) * scale - (static_cast<double>(i) + 0.5);  // in samples of the result
      const double weight =
          enlarged ? cubic(0, 0.5, distance / scale) : cubic(1.0 / 3, 1.0 / 3, distance);  // Catmull-Rom or Mitchell
      row[static_cast<std::size_t>(std::clamp(j, 0, static_cast<int>(from) - 1))] += weight;
      sum += weight;
    }
    for (std::size_t j = 0; j < from; ++j) all[i * from + j] = row[j] / sum;
  }
  return all;
}

/// One sample of the resampled image, in double precision.
double resampled(const image::Image& image, const std::vector<double>& down, const std::vector<double>& across,
                 std::size_t row, std::size_t column, std::size_t channel) {
  double sum = 0;
  for (std::size_t y = 0; y < image.height; ++y) {
    for (std::size_t x = 0; x < image.width; ++x) {
      sum += down[row * image.height + y] * across[column * image.width + x] *
             image.pixels[(y * image.width + x) * image.channels + channel];
    }
  }
  return std::clamp(sum, 0.0, 255.0);
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

TEST_CASE("images are reduced by Mitchell's filter and enlarged by Catmull-Rom splines") {
  for (const std::size_t channels : {std::size_t{1}, std::size_t{3}}) {
    image::Image image{12, 17, channels, std::vector<std::uint8_t>(12 * 17 * channels)};
    RandomStream random({.seed = 1, .purpose = Purpose::shuffle, .epoch = 0, .id = channels});
    for (std::uint8_t& pixel : image.pixels) pixel = static_cast<std::uint8_t>(random.below(256));
    // Both directions smaller, both larger, one of each.
    for (const auto& [height, width] : {std::pair<std::size_t, std::size_t>{5, 7}, {20, 31}, {7, 23}}) {
      CAPTURE(height);
      const std::vector<double> down = weights(image.height, height);
      const std::vector<double> across = weights(image.width, width);
      const image::Image result = image::resample(image, height, width);
      double largest = 0;
      for (std::size_t i = 0; i < result.pixels.size(); ++i) {
        const std::size_t pixel = i / channels;
        const double expected = resampled(image, down, across, pixel / width, pixel % width, i % channels);
        largest = larger_error(largest, difference(result.pixels[i], expected));
      }
      CHECK(largest < 0.51);
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
  // All sorts of colours, and among them halves, which are rounded up.
  image::Image many{1, 4096, 3, {}};
  std::vector<std::uint8_t> expected;
  for (unsigned i = 0; i < 4096; ++i) {
    const unsigned red = i % 16 * 17;
    const unsigned green = i / 16 % 16 * 17;
    const unsigned blue = i / 256 * 17;
    for (const unsigned sample : {red, green, blue}) many.pixels.push_back(static_cast<std::uint8_t>(sample));
    const unsigned thousandths = 299 * red + 587 * green + 114 * blue;
    expected.push_back(static_cast<std::uint8_t>(thousandths / 1000 + (thousandths % 1000 >= 500 ? 1 : 0)));
  }
  CHECK(image::to_grey(many).pixels == expected);
}

TEST_CASE("an image is brought into a data set's shape") {
  const image::Image colour = gradient(9, 5, 3);
  CHECK(data::fit_to_shape(colour, {9, 5, 3}) == colour.pixels);
  CHECK(data::fit_to_shape(colour, {9, 5, 1}) == image::to_grey(colour).pixels);
  CHECK(data::fit_to_shape(colour, {4, 4, 1}) == image::resample(image::to_grey(colour), 4, 4).pixels);
  const image::Image grey = gradient(9, 5, 1);
  CHECK(data::fit_to_shape(grey, {4, 4, 3}) == image::to_colour(image::resample(grey, 4, 4)).pixels);
}
