#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "message_of.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/data/pack/ordered_parallel.hpp"

using namespace mnist_dist;

TEST_CASE("parallel work is consumed in order, within bounds, and its first error is thrown in turn") {
  for (const unsigned jobs : {1U, 4U}) {
    std::vector<std::size_t> consumed;
    std::atomic<std::size_t> begun = 0;
    data::OrderedParallel<std::size_t> work(200, jobs, [&](std::size_t i) {
      ++begun;
      if (i == 150 || i == 170) throw Error(ExitCode::bug, std::to_string(i));
      return i * i;
    });
    CHECK(message_of(ExitCode::bug, [&] {
            work.consume_all([&](std::size_t result) {
              consumed.push_back(result);
              CHECK(begun <= consumed.size() + jobs + 2);
            });
          }) == "150");
    REQUIRE(consumed.size() == 150);
    for (std::size_t i = 0; i < consumed.size(); ++i) CHECK(consumed[i] == i * i);
  }
}
