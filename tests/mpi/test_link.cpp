#include <doctest/doctest.h>

#include <cmath>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/comm/link.hpp"

namespace comm = mnist_dist::comm;

TEST_CASE("the link is the same at all ranks") {
  const comm::Communicator ranks = comm::Communicator::world();
  if (ranks.size() == 1) return;
  const comm::Link link = comm::measure_link(ranks);
  CHECK(std::isfinite(link.latency));
  CHECK(link.latency > 0);
  CHECK(std::isfinite(link.bytes_per_second));
  CHECK(link.bytes_per_second > 0);
  const comm::Link halves{.latency = 1, .bytes_per_second = 4};
  CHECK(halves.seconds(8) == 3);
  comm::Link of_first = link;
  ranks.broadcast(std::span(&of_first, 1));
  CHECK(of_first.latency == link.latency);
  CHECK(of_first.bytes_per_second == link.bytes_per_second);
}
