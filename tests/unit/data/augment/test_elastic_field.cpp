#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/core/random.hpp"
#include "mnist_dist/data/augment/elastic_field.hpp"

using namespace mnist_dist;
using data::ElasticField;

namespace {

void generate(ElasticField& field, std::uint64_t id) {
  std::vector<std::uint32_t> words(field.words());
  RandomStream({.seed = 1, .purpose = Purpose::augmentation, .epoch = 0, .id = id}).fill(words);
  field.generate(words);
}

// The largest difference between horizontal or vertical neighbours, where the field's largest value is 1.
double roughness(const ElasticField& field, std::size_t height, std::size_t width) {
  double largest = 0.0;
  for (const std::span<const float> values : {field.x(), field.y()}) {
    for (std::size_t i = 0; i < height * width; ++i) {
      if (i % width > 0) largest = larger_error(largest, difference(values[i], values[i - 1]));
      if (i >= width) largest = larger_error(largest, difference(values[i], values[i - width]));
    }
  }
  return largest / field.largest();
}

}  // namespace

TEST_CASE("the largest displacement is that of both fields") {
  ElasticField field(28, 28, 5.0);
  bool x_was_largest = false;
  bool y_was_largest = false;
  for (std::uint64_t id = 0; id < 20; ++id) {
    generate(field, id);
    const std::vector<float> zeros(28 * 28);
    const double largest_x = largest_difference(field.x(), zeros);
    const double largest_y = largest_difference(field.y(), zeros);
    CHECK(field.largest() == larger_error(largest_x, largest_y));
    CHECK(field.largest() > 0.0F);
    x_was_largest |= largest_x > largest_y;
    y_was_largest |= largest_y > largest_x;
  }
  CHECK(x_was_largest);
  CHECK(y_was_largest);
}

TEST_CASE("a field is smooth, the smoother the wider the Gaussian") {
  double roughest_before = 2.0;  // noise that is not smoothed comes near it
  for (const double smoothing : {1.0, 3.0, 5.0, 10.0}) {
    ElasticField field(28, 36, smoothing);
    double roughest = 0.0;
    for (std::uint64_t id = 0; id < 50; ++id) {
      generate(field, id);
      roughest = larger_error(roughest, roughness(field, 28, 36));
    }
    CAPTURE(smoothing);
    CHECK(roughest < 0.7 * roughest_before);
    CHECK(roughest < 1.5 / smoothing);
    roughest_before = roughest;
  }
}

TEST_CASE("every pixel moves alike, in every direction, and the fields know nothing of each other") {
  constexpr std::size_t kHeight = 28;
  constexpr std::size_t kWidth = 20;
  constexpr int kFields = 4000;
  ElasticField field(kHeight, kWidth, 5.0);
  std::vector<double> sums(kHeight * kWidth);
  std::vector<double> squares(kHeight * kWidth);
  double product = 0.0;
  for (int id = 0; id < kFields; ++id) {
    generate(field, static_cast<std::uint64_t>(id));
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] += field.x()[i];
      squares[i] += double{field.y()[i]} * field.y()[i];
    }
    product += double{field.x()[14 * kWidth + 10]} * field.y()[14 * kWidth + 10];
  }
  // Rows of weights have the norm 1, and uniform noise the variance 1/3.
  const double deviation_of_mean = std::sqrt(1.0 / 3.0 / kFields);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    CHECK(difference(sums[i] / kFields, 0) < 5.0 * deviation_of_mean);
    CHECK(difference(squares[i] / kFields, 1.0 / 3.0) < 0.16);
  }
  CHECK(difference(product / kFields, 0) < 5.0 / 3.0 / std::sqrt(kFields));
}

TEST_CASE("displacements are correlated as those of noise that a Gaussian smooths") {
  // White noise smoothed with a Gaussian of variance s^2 has the correlation exp(-d^2 / (4 s^2)) over the distance d.
  constexpr std::size_t kSide = 64;
  constexpr double kSigma = 5.0;
  ElasticField field(kSide, kSide, kSigma);
  for (const std::size_t distance :
       {std::size_t{2}, std::size_t{5}, std::size_t{8}, std::size_t{12}, std::size_t{20}}) {
    double squares = 0.0;
    double along_x = 0.0;
    double along_y = 0.0;
    for (std::uint64_t id = 0; id < 100; ++id) {
      generate(field, id);
      for (const std::span<const float> values : {field.x(), field.y()}) {
        for (std::size_t row = 0; row + distance < kSide; ++row) {
          for (std::size_t column = 0; column + distance < kSide; ++column) {
            const double value = values[row * kSide + column];
            squares += value * value;
            along_x += value * values[row * kSide + column + distance];
            along_y += value * values[(row + distance) * kSide + column];
          }
        }
      }
    }
    const auto d = static_cast<double>(distance);
    const double expected = std::exp(-d * d / (4.0 * kSigma * kSigma));
    CAPTURE(distance);
    CHECK(difference(along_x / squares, expected) < 0.06);
    CHECK(difference(along_y / squares, expected) < 0.06);
  }
}

TEST_CASE("fields of any size and smoothing are made of as many words as they say") {
  for (const std::size_t height : {std::size_t{1}, std::size_t{2}, std::size_t{17}, std::size_t{100}}) {
    for (const std::size_t width : {std::size_t{1}, std::size_t{16}, std::size_t{33}}) {
      for (const double smoothing : {0.1, 1.0, 5.0, 28.0 / std::sqrt(3.0), 1000.0}) {
        ElasticField field(height, width, smoothing);
        generate(field, 1);
        CHECK(field.x().size() == height * width);
        CHECK(field.y().size() == height * width);
        CHECK(field.largest() > 0.0F);
        CHECK(field.largest() < 40.0F);
        // Every word makes a difference.
        std::vector<std::uint32_t> words(field.words());
        field.generate(words);
        const std::vector<float> x(field.x().begin(), field.x().end());
        const std::vector<float> y(field.y().begin(), field.y().end());
        for (std::size_t i = 0; i < words.size(); i += 1 + words.size() / 50) {
          CAPTURE(i);
          words[i] = 0xffffffffU;
          field.generate(words);
          words[i] = 0;
          CHECK(!(std::ranges::equal(field.x(), x) && std::ranges::equal(field.y(), y)));
        }
      }
    }
  }
}
