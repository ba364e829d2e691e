#include "mnist_dist/comm/link.hpp"

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <span>
#include <vector>

#include "hang_watch.hpp"
#include "mpi_handle.hpp"

namespace mnist_dist::comm {
namespace {

/// Sends the bytes there and back. @return seconds
double round_trip(const Communicator& ranks, int peer, bool begins, std::vector<char>& bytes) {
  const Waiting waiting(Wait::barrier);
  const auto send = [&] {
    check(MPI_Send(bytes.data(), to_count(bytes.size()), MPI_CHAR, peer, 0, ranks.handle().communicator), "MPI_Send");
  };
  const auto receive = [&] {
    check(MPI_Recv(bytes.data(), to_count(bytes.size()), MPI_CHAR, peer, 0, ranks.handle().communicator,
                   MPI_STATUS_IGNORE),
          "MPI_Recv");
  };
  const auto begin = std::chrono::steady_clock::now();
  if (begins) send();
  receive();
  if (!begins) send();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// The quickest of several: whatever else the machine does only adds. @return seconds one way
double fastest_way(const Communicator& ranks, int peer, bool begins, std::size_t size, int repeats) {
  std::vector<char> bytes(size);
  double fastest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < repeats; ++i) fastest = std::min(fastest, round_trip(ranks, peer, begins, bytes) / 2);
  return fastest;
}

}  // namespace

Link measure_link(const Communicator& ranks, int one, int other) {
  constexpr std::size_t kLarge = std::size_t{2} << 20U;  // much more than what a shaper lets through in a burst
  Link link;
  if (ranks.rank() == one || ranks.rank() == other) {
    const bool begins = ranks.rank() == one;
    const int peer = begins ? other : one;
    link.latency = fastest_way(ranks, peer, begins, 8, 50);
    link.bytes_per_second = kLarge / std::max(fastest_way(ranks, peer, begins, kLarge, 3) - link.latency, 1e-9);
  }
  ranks.broadcast(std::span(&link, 1), one);
  return link;
}

}  // namespace mnist_dist::comm
