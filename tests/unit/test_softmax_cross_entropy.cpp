#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "mnist_dist/nn/softmax_cross_entropy.hpp"

using namespace mnist_dist;

TEST_CASE("softmax stays finite for huge logits") {
  std::vector<float> values = {1e4F, 0.0F, -1e4F};
  const std::vector<std::int32_t> labels = {1};
  const double loss = nn::softmax_cross_entropy({values.data(), 1, 3}, labels, 1.0F);
  CHECK(loss == doctest::Approx(1e4));
  CHECK(values[0] == 1.0F);
  CHECK(values[1] == -1.0F);
  CHECK(values[2] == 0.0F);
}
