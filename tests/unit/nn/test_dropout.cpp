#include <doctest/doctest.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/nn/dropout.hpp"

using namespace mnist_dist;

TEST_CASE("a dropout mask depends on seed, epoch, row and layer, and on nothing else") {
  const auto mask = [](std::uint64_t seed, std::uint32_t epoch, std::uint64_t row, std::size_t layer) {
    std::vector<float> scales(300);
    nn::Dropout(0.2, seed, epoch).draw(std::span(&row, 1), layer, {scales.data(), 1, scales.size()});
    return scales;
  };
  const std::vector<float> base = mask(1, 2, 3, 0);
  CHECK(mask(1, 2, 3, 0) == base);
  CHECK(mask(2, 2, 3, 0) != base);
  CHECK(mask(1, 3, 3, 0) != base);
  CHECK(mask(1, 2, 4, 0) != base);
  CHECK(mask(1, 2, 3, 1) != base);
  // A longer layer begins with the same mask: the key does not depend on the size.
  // The rows beside it do not count either.
  const std::vector<std::uint64_t> rows = {9, 3, 4};
  std::vector<float> longer(3 * 5000);
  nn::Dropout(0.2, 1, 2).draw(rows, 0, {longer.data(), 3, 5000});
  CHECK(std::equal(base.begin(), base.end(), longer.begin() + 5000));
}

// These numbers were computed from the definition with another implementation of Philox4x32-10. They fail when the key
// of a mask is put together in another way, which would change every model.
TEST_CASE("the mask of a known row") {
  std::vector<float> scales(16);
  const std::uint64_t row = 3;
  nn::Dropout(0.5, 1, 2).draw(std::span(&row, 1), 1, {scales.data(), 1, scales.size()});
  std::string kept;
  for (const float scale : scales) kept += scale == 0.0F ? '.' : 'x';
  CHECK(kept == ".x..xxx......x..");
}

TEST_CASE("dropout drops its share and keeps the expectation") {
  std::vector<float> scales(1000);
  double sum = 0;
  std::size_t dropped = 0;
  for (std::uint64_t row = 0; row < 1000; ++row) {
    nn::Dropout(0.2, 7, 1).draw(std::span(&row, 1), 0, {scales.data(), 1, scales.size()});
    for (const float scale : scales) {
      sum += scale;
      if (scale == 0.0F) ++dropped;
    }
  }
  // The standard deviation of the share over 10^6 units is 0.0004.
  CHECK(difference(static_cast<double>(dropped) / 1e6, 0.2) < 0.002);
  CHECK(difference(sum / 1e6, 1) < 0.0025);
}
