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

TEST_CASE("a list of numbers is short") {
  CHECK(in_ranges({}).empty());
  CHECK(in_ranges({3}) == "3");
  CHECK(in_ranges({0, 1}) == "0 to 1");
  CHECK(in_ranges({0, 2, 3, 4, 7}) == "0, 2 to 4, 7");
  CHECK(in_ranges({0, 2, 4, 6, 8, 10}) == "0, 2, 4, 6, 8, 10");
  CHECK(in_ranges({0, 2, 4, 6, 8, 10, 12, 13}) == "0, 2, 4 ... 13");
}
