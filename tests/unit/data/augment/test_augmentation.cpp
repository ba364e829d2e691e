#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "float_comparison.hpp"
#include "message_of.hpp"
#include "mnist_dist/core/sha256.hpp"
#include "mnist_dist/data/augment/augmentation.hpp"

using namespace mnist_dist;
using data::Augmentation;
using data::AugmentationSettings;
using data::ImageShape;
using Pixels = std::vector<std::uint8_t>;

namespace {

constexpr ImageShape kShape{28, 28, 1};
constexpr AugmentationSettings kEverything{
    .rotation = 12.0, .scaling = 0.12, .shear = 0.15, .shift = 2.0, .elastic = 3.0, .elastic_smoothing = 5.0};

// Something like a digit: a ring with a stroke through it, off the centre.
Pixels drawing(const ImageShape& shape) {
  Pixels pixels(shape.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::size_t pixel = i / shape.channels;
    const double x = static_cast<double>(pixel % shape.width) - static_cast<double>(shape.width) * 0.5;
    const double y = static_cast<double>(pixel / shape.width) - static_cast<double>(shape.height) * 0.45;
    const double from_ring = std::abs(std::hypot(x, y) - static_cast<double>(shape.width) * 0.2);
    const double ink = std::clamp(2.0 - std::min(from_ring, std::abs(x - 0.3 * y) + std::abs(y) * 0.1), 0.0, 1.0);
    pixels[i] = static_cast<std::uint8_t>(ink * (255.0 - 40.0 * static_cast<double>(i % shape.channels)));
  }
  return pixels;
}

Pixels augmented(const AugmentationSettings& settings, std::uint64_t seed, std::uint32_t epoch, std::uint64_t row,
                 const Pixels& pixels, const ImageShape& shape = kShape) {
  Pixels warped(shape.size(), 77);
  Augmentation(shape, settings, seed, epoch).apply(row, pixels, warped);
  return warped;
}

double sum(const Pixels& pixels) {
  double total = 0.0;
  for (const std::uint8_t pixel : pixels) total += pixel;
  return total;
}

// The range and the mean of a number over many rows.
struct Range {
  double lowest = std::numeric_limits<double>::infinity();
  double highest = -std::numeric_limits<double>::infinity();
  double total = 0.0;
  int count = 0;
  void add(double value) {
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
    total += value;
    ++count;
  }
  // From -bound to bound, evenly, up to the error of measuring it.
  void check(double bound, double error) const {
    CHECK(difference(highest, bound) < 0.05 * bound + error);
    CHECK(difference(lowest, -bound) < 0.05 * bound + error);
    CHECK(difference(total / count, 0) < 0.1 * bound);
  }
};

constexpr int kRows = 600;
constexpr ImageShape kSpotShape{41, 41, 1};
constexpr double kCentre = 20.0;

struct Spot {
  double x = 0.0;
  double y = 0.0;
};

// Where a spot that lies so far from the centre comes to lie, for many rows.
template <class Function>
void for_each_moved_spot(const AugmentationSettings& settings, const Spot& from, const Function& function) {
  Pixels pixels(kSpotShape.size());
  for (std::size_t y = 0; y < kSpotShape.height; ++y) {
    for (std::size_t x = 0; x < kSpotShape.width; ++x) {
      const double distance =
          std::hypot(static_cast<double>(x) - kCentre - from.x, static_cast<double>(y) - kCentre - from.y);
      pixels[y * kSpotShape.width + x] = static_cast<std::uint8_t>(250.0 * std::max(0.0, 1.0 - distance / 4.0));
    }
  }
  Augmentation augmentation(kSpotShape, settings, 3, 1);
  Pixels warped(kSpotShape.size());
  for (std::uint64_t row = 0; row < kRows; ++row) {
    augmentation.apply(row, pixels, warped);
    Spot spot;
    for (std::size_t i = 0; i < warped.size(); ++i) {
      spot.x += warped[i] * (static_cast<double>(i % kSpotShape.width) - kCentre);
      spot.y += warped[i] * (static_cast<double>(i / kSpotShape.width) - kCentre);
    }
    function(Spot{spot.x / sum(warped), spot.y / sum(warped)});
  }
}

}  // namespace

TEST_CASE("without settings, augmentation leaves every row as it is") {
  for (const ImageShape& shape : {kShape, ImageShape{11, 7, 3}}) {
    const Pixels pixels = drawing(shape);
    CHECK(augmented({}, 1, 2, 3, pixels, shape) == pixels);
  }
  CHECK(!AugmentationSettings{}.active());
  CHECK(!AugmentationSettings{.elastic_smoothing = 8.0}.active());
  CHECK(AugmentationSettings{.rotation = 1.0}.active());
  CHECK(AugmentationSettings{.scaling = 0.1}.active());
  CHECK(AugmentationSettings{.shear = 0.1}.active());
  CHECK(AugmentationSettings{.shift = 1.0}.active());
  CHECK(AugmentationSettings{.elastic = 1.0}.active());
}

TEST_CASE("a row looks the same for the same seed, epoch and id, and different for any other") {
  const Pixels pixels = drawing(kShape);
  const Pixels warped = augmented(kEverything, 1, 2, 3, pixels);
  CHECK(warped != pixels);
  CHECK(augmented(kEverything, 1, 2, 3, pixels) == warped);
  CHECK(augmented(kEverything, 2, 2, 3, pixels) != warped);
  CHECK(augmented(kEverything, 1, 3, 3, pixels) != warped);
  CHECK(augmented(kEverything, 1, 2, 4, pixels) != warped);
  for (const auto member :
       {&AugmentationSettings::rotation, &AugmentationSettings::scaling, &AugmentationSettings::shear,
        &AugmentationSettings::shift, &AugmentationSettings::elastic, &AugmentationSettings::elastic_smoothing}) {
    AugmentationSettings other = kEverything;
    other.*member *= 1.5;
    CHECK(augmented(other, 1, 2, 3, pixels) != warped);
  }
}

TEST_CASE("what a row looks like does not depend on the rows before it") {
  for (const ImageShape& shape : {kShape, ImageShape{19, 33, 3}}) {
    const Pixels pixels = drawing(shape);
    const Pixels white(shape.size(), 255);
    Augmentation augmentation(shape, kEverything, 5, 1);
    Pixels warped(shape.size());
    for (const std::uint64_t row : {9U, 2U, 7U, 2U, 0U}) {
      augmentation.apply(row + 100, white, warped);
      augmentation.apply(row, pixels, warped);
      CHECK(warped == augmented(kEverything, 5, 1, row, pixels, shape));
    }
  }
}

TEST_CASE("known rows keep their pixels from version to version") {
  // A change here changes what every training with augmentation computes.
  std::string hashes;
  for (const ImageShape& shape : {kShape, ImageShape{20, 30, 3}}) {
    Sha256 hash;
    for (std::uint64_t row = 0; row < 20; ++row) {
      const Pixels warped = augmented(kEverything, 7, 3, row, drawing(shape), shape);
      hash.update(std::as_bytes(std::span(warped)));
    }
    hashes += hash.finish().substr(0, 16) + " ";
  }
  CHECK(hashes == "9313fef94326b422 a81710f0d4a6d612 ");
}

TEST_CASE("rotation turns by up to its degrees, either way") {
  Range angles;
  for_each_moved_spot({.rotation = 30.0}, {12.0, 0.0}, [&](const Spot& spot) {
    CHECK(difference(std::hypot(spot.x, spot.y), 12) < 0.25);
    angles.add(std::atan2(-spot.y, spot.x) * 180.0 / 3.14159265358979);
  });
  angles.check(30.0, 0.5);
}

TEST_CASE("scaling changes width and height by up to its share, each for itself") {
  Range widths;
  Range heights;
  Range differences;
  for_each_moved_spot({.scaling = 0.25}, {10.0, 10.0}, [&](const Spot& spot) {
    widths.add(spot.x / 10.0 - 1.0);
    heights.add(spot.y / 10.0 - 1.0);
    differences.add((spot.x - spot.y) / 10.0);
  });
  widths.check(0.25, 0.01);
  heights.check(0.25, 0.01);
  CHECK(differences.highest > 0.35);
  CHECK(differences.lowest < -0.35);
}

TEST_CASE("shear moves sideways by up to its share of the height") {
  Range sideways;
  for_each_moved_spot({.shear = 0.4}, {0.0, 12.0}, [&](const Spot& spot) {
    CHECK(difference(spot.y, 12) < 0.05);
    sideways.add(spot.x);
  });
  sideways.check(0.4 * 12.0, 0.05);
}

TEST_CASE("shift moves by up to its pixels, both ways for themselves") {
  Range sideways;
  Range down;
  Range differences;
  for_each_moved_spot({.shift = 5.0}, {1.0, -2.0}, [&](const Spot& spot) {
    sideways.add(spot.x - 1.0);
    down.add(spot.y + 2.0);
    differences.add(spot.x - spot.y);
  });
  sideways.check(5.0, 0.05);
  down.check(5.0, 0.05);
  CHECK(differences.highest > 7.0);
}

TEST_CASE("the elastic distortion moves the pixel that it moves most by exactly its pixels") {
  // On a ramp, a pixel's value tells where it comes from; around the ramp is room for what comes from outside.
  constexpr ImageShape kRampShape{60, 60, 1};
  constexpr double kSlope = 4.0;
  for (const bool vertical : {false, true}) {
    Pixels ramp(kRampShape.size());
    for (std::size_t i = 0; i < ramp.size(); ++i) {
      ramp[i] = static_cast<std::uint8_t>(kSlope * static_cast<double>(vertical ? i / 60 : i % 60));
    }
    Range largest;
    Range displacements;
    for (std::uint64_t row = 0; row < 100; ++row) {
      const Pixels warped = augmented({.elastic = 3.0}, 1, 1, row, ramp, kRampShape);
      double largest_of_row = 0.0;
      for (std::size_t y = 4; y < 56; ++y) {
        for (std::size_t x = 4; x < 56; ++x) {
          const double displacement = warped[y * 60 + x] / kSlope - static_cast<double>(vertical ? y : x);
          largest_of_row = larger_error(largest_of_row, difference(displacement, 0));
          displacements.add(displacement);
        }
      }
      largest.add(largest_of_row);
    }
    CHECK(difference(largest.highest, 3) < 0.2);  // never more, and in many rows not less
    CHECK(largest.total / largest.count > 2.4);
    CHECK(difference(displacements.total / displacements.count, 0) < 0.1);
  }
}

TEST_CASE("augmentation keeps the ink, on average") {
  const Pixels pixels = drawing(kShape);
  Range ink;
  Augmentation augmentation(kShape, kEverything, 2, 1);
  Pixels warped(kShape.size());
  for (std::uint64_t row = 0; row < kRows; ++row) {
    augmentation.apply(row, pixels, warped);
    ink.add(sum(warped) / sum(pixels));
  }
  CHECK(difference(ink.total / ink.count, 1) < 0.08);
  CHECK(ink.lowest > 0.4);
  CHECK(ink.highest < 2.0);
}

TEST_CASE("the channels of a colour image move together") {
  const ImageShape colour{kShape.height, kShape.width, 3};
  const Pixels grey = drawing(kShape);
  Pixels pixels(colour.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = grey[i / 3];
  const Pixels warped_grey = augmented(kEverything, 1, 1, 8, grey);
  const Pixels warped = augmented(kEverything, 1, 1, 8, pixels, colour);
  for (std::size_t i = 0; i < warped.size(); ++i) REQUIRE(warped[i] == warped_grey[i / 3]);
}

TEST_CASE("settings out of their bounds are refused by name") {
  const auto refused = [](const AugmentationSettings& settings) {
    return message_of(ExitCode::usage, [&] { const Augmentation augmentation(kShape, settings, 0, 1); });
  };
  CHECK(refused(kEverything) == "no error");
  CHECK(refused({.rotation = 200.0}) == "the rotation of the training images is 200, but must lie between 0 and 180");
  CHECK(refused({.scaling = 1.0}) == "the scaling of the training images is 1, but must lie between 0 and 0.9");
  CHECK(refused({.shear = -0.5}) == "the shear of the training images is -0.5, but must lie between 0 and 10");
  CHECK(refused({.shift = std::numeric_limits<double>::quiet_NaN()}) ==
        "the shift of the training images is nan, but must lie between 0 and 4096");
  CHECK(refused({.elastic = 5000.0}).find("the elastic distortion of the training images is 5000") == 0);
  CHECK(refused({.elastic_smoothing = 0.0}).find("the elastic smoothing of the training images is 0") == 0);
}
