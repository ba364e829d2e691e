#include <doctest/doctest.h>

#include <cstdint>

#include "mnist_dist/core/counted.hpp"

using namespace mnist_dist;

TEST_CASE("one thing is one, and all else are many") {
  CHECK(counted(1, "epoch") == "1 epoch");
  CHECK(counted(0, "epoch") == "0 epochs");
  CHECK(counted(std::uint64_t{2}, "class", "classes") == "2 classes");
  CHECK(counted(1, "class", "classes") == "1 class");
}
