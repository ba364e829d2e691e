#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/core/random.hpp"
#include "mnist_dist/data/augment/affine_map.hpp"
#include "mnist_dist/data/augment/image_warp.hpp"

using namespace mnist_dist;
using data::AffineChange;
using data::ImageShape;
using Pixels = std::vector<std::uint8_t>;

namespace {

Pixels random_pixels(const ImageShape& shape, std::uint64_t seed) {
  RandomStream random({.seed = seed, .purpose = Purpose::synthetic_digit, .epoch = 0, .id = 0});
  Pixels pixels(shape.size());
  for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random.below(256));
  return pixels;
}

Pixels changed(const ImageShape& shape, const AffineChange& change, const Pixels& pixels) {
  Pixels warped(shape.size(), 77);
  data::ImageWarp(shape).apply(data::affine_map(shape, change), {}, pixels, warped);
  return warped;
}

// The pixel drawn at (x, y) of an image whose `source(x, y)` says where it comes from; black where that is outside.
template <class Source>
Pixels moved(const ImageShape& shape, const Pixels& pixels, Source source) {
  Pixels result(shape.size(), 0);
  const auto height = static_cast<int>(shape.height);
  const auto width = static_cast<int>(shape.width);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto [from_x, from_y] = source(x, y);
      if (from_x < 0 || from_x >= width || from_y < 0 || from_y >= height) continue;
      for (std::size_t channel = 0; channel < shape.channels; ++channel) {
        const auto to = static_cast<std::size_t>(y * width + x) * shape.channels + channel;
        const auto from = static_cast<std::size_t>(from_y * width + from_x) * shape.channels + channel;
        result[to] = pixels[from];
      }
    }
  }
  return result;
}

struct Place {
  int x;
  int y;
};

// The value at a place between pixels, by the definition of bilinear interpolation.
double bilinear(const ImageShape& shape, const Pixels& pixels, double x, double y, std::size_t channel) {
  const auto at = [&](double column, double row) {
    if (column < 0 || row < 0 || column >= static_cast<double>(shape.width) ||
        row >= static_cast<double>(shape.height)) {
      return 0.0;
    }
    const auto pixel = static_cast<std::size_t>(row) * shape.width + static_cast<std::size_t>(column);
    return static_cast<double>(pixels[pixel * shape.channels + channel]);
  };
  const double left = std::floor(x);
  const double top = std::floor(y);
  const double upper = at(left, top) * (left + 1 - x) + at(left + 1, top) * (x - left);
  const double lower = at(left, top + 1) * (left + 1 - x) + at(left + 1, top + 1) * (x - left);
  return upper * (top + 1 - y) + lower * (y - top);
}

const std::vector<ImageShape> kShapes = {{28, 28, 1}, {28, 28, 3}, {9, 13, 1}, {13, 9, 3}, {1, 1, 1},
                                         {2, 50, 1},  {40, 1, 1},  {7, 16, 1}, {5, 17, 3}};

}  // namespace

TEST_CASE("an image that is not changed keeps every pixel") {
  for (const ImageShape& shape : kShapes) {
    const Pixels pixels = random_pixels(shape, 1);
    CHECK(changed(shape, {}, pixels) == pixels);
  }
}

TEST_CASE("a shift by whole pixels moves the image to the right and down, and black comes in") {
  for (const ImageShape& shape : kShapes) {
    const Pixels pixels = random_pixels(shape, 2);
    for (const Place shift : {Place{2, 0}, Place{0, 3}, Place{-1, 1}, Place{-5, -4}, Place{100, 0}, Place{0, -1000}}) {
      CAPTURE(shift.x);
      CAPTURE(shift.y);
      const AffineChange change{.shift_x = static_cast<double>(shift.x), .shift_y = static_cast<double>(shift.y)};
      CHECK(changed(shape, change, pixels) == moved(shape, pixels, [&](int x, int y) {
              return Place{x - shift.x, y - shift.y};
            }));
    }
  }
}

TEST_CASE("a shift by half a pixel averages neighbours, with black at the edge") {
  const ImageShape shape{1, 4, 1};
  CHECK(changed(shape, {.shift_x = 0.5}, {10, 20, 41, 100}) == Pixels{5, 15, 31, 71});
  CHECK(changed(shape, {.shift_x = -0.5}, {10, 20, 41, 100}) == Pixels{15, 31, 71, 50});
  CHECK(changed(shape, {.shift_y = 0.25}, {10, 20, 41, 100}) == Pixels{8, 15, 31, 75});
}

TEST_CASE("a quarter turn is exact, and counter-clockwise") {
  for (const ImageShape& shape : {ImageShape{28, 28, 1}, ImageShape{9, 9, 1}, ImageShape{6, 6, 3}}) {
    const Pixels pixels = random_pixels(shape, 3);
    const int last = static_cast<int>(shape.width) - 1;
    // What is drawn at the top comes from the right.
    const Pixels turned = moved(shape, pixels, [&](int x, int y) { return Place{last - y, x}; });
    CHECK(changed(shape, {.rotation = 90.0}, pixels) == turned);
    CHECK(changed(shape, {.rotation = -270.0}, pixels) == turned);
    CHECK(changed(shape, {.rotation = 180.0}, pixels) == moved(shape, pixels, [&](int x, int y) {
            return Place{last - x, last - y};
          }));
  }
}

TEST_CASE("scaling is about the centre") {
  const ImageShape shape{1, 5, 1};
  CHECK(changed(shape, {.scale_x = 0.5}, {10, 20, 30, 40, 50}) == Pixels{0, 10, 30, 50, 0});
  CHECK(changed(shape, {.scale_x = 2.0}, {10, 20, 30, 40, 50}) == Pixels{20, 25, 30, 35, 40});
  CHECK(changed({5, 1, 1}, {.scale_y = 0.5}, {10, 20, 30, 40, 50}) == Pixels{0, 10, 30, 50, 0});
}

TEST_CASE("shear moves what is above the centre to the left and what is below to the right") {
  CHECK(changed({3, 3, 1}, {.shear = 1.0}, {1, 2, 3, 4, 5, 6, 7, 8, 9}) == Pixels{2, 3, 0, 4, 5, 6, 0, 7, 8});
}

TEST_CASE("displacements add to where a pixel comes from, times their scale") {
  const ImageShape shape{6, 8, 1};
  const Pixels pixels = random_pixels(shape, 4);
  const std::vector<float> x(shape.size(), 2.0F);
  const std::vector<float> y(shape.size(), -1.0F);
  Pixels warped(shape.size());
  data::ImageWarp warp(shape);
  warp.apply({}, {.x = x, .y = y, .scale = 1.0F}, pixels, warped);
  CHECK(warped == moved(shape, pixels, [](int column, int row) { return Place{column + 2, row - 1}; }));
  warp.apply({}, {.x = x, .y = y, .scale = -2.0F}, pixels, warped);
  CHECK(warped == moved(shape, pixels, [](int column, int row) { return Place{column - 4, row + 2}; }));
}

TEST_CASE("any map together with any displacements is what bilinear interpolation says") {
  RandomStream random({.seed = 5, .purpose = Purpose::synthetic_digit, .epoch = 0, .id = 0});
  for (const ImageShape& shape : kShapes) {
    data::ImageWarp warp(shape);
    const std::size_t area = shape.height * shape.width;
    for (int repeat = 0; repeat < 20; ++repeat) {
      const AffineChange change{.scale_x = random.uniform(0.7F, 1.4F),
                                .scale_y = random.uniform(0.7F, 1.4F),
                                .shear = random.uniform(-0.5F, 0.5F),
                                .rotation = random.uniform(-180.0F, 180.0F),
                                .shift_x = random.uniform(-4.0F, 4.0F),
                                .shift_y = random.uniform(-4.0F, 4.0F)};
      const data::AffineMap map = data::affine_map(shape, change);
      std::vector<float> x(area);
      std::vector<float> y(area);
      for (float& value : x) value = random.uniform(-1.0F, 1.0F);
      for (float& value : y) value = random.uniform(-1.0F, 1.0F);
      const Pixels pixels = random_pixels(shape, 6);
      Pixels warped(shape.size());
      warp.apply(map, {.x = x, .y = y, .scale = 3.0F}, pixels, warped);
      double largest_error = 0.0;
      for (std::size_t i = 0; i < shape.size(); ++i) {
        const std::size_t pixel = i / shape.channels;
        const auto column = static_cast<double>(pixel % shape.width);
        const auto row = static_cast<double>(pixel / shape.width);
        const double from_x = map.x_by_x * column + map.x_by_y * row + map.x_offset + 3.0 * x[pixel];
        const double from_y = map.y_by_x * column + map.y_by_y * row + map.y_offset + 3.0 * y[pixel];
        const double expected = bilinear(shape, pixels, from_x, from_y, i % shape.channels);
        largest_error = larger_error(largest_error, difference(expected, warped[i]));
      }
      CHECK(largest_error < 0.51);
    }
  }
}

TEST_CASE("places that are no numbers, or beyond all bounds, are black") {
  const ImageShape shape{4, 4, 1};
  const Pixels pixels(shape.size(), 200);
  data::ImageWarp warp(shape);
  for (const float offset : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                             std::numeric_limits<float>::quiet_NaN(), 1e30F, -1e30F}) {
    CAPTURE(offset);
    Pixels warped(shape.size(), 1);
    warp.apply({.x_offset = offset, .y_offset = offset}, {}, pixels, warped);
    CHECK(warped == Pixels(shape.size(), 0));
  }
}
