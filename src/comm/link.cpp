#include "mnist_dist/comm/link.hpp"

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <vector>

#include "hang_watch.hpp"
#include "mpi_handle.hpp"

namespace mnist_dist::comm {
namespace {

/// Sends the bytes there and back. @return seconds
double round_trip(const Communicator& ranks, int peer, bool begins, std::vector<char>& bytes) {
  const Waiting waiting(Wait::link);
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

/// Both send the bytes at once, as hosts do in a step: many a link is slower then. @return seconds
double both_ways(const Communicator& ranks, int peer, std::size_t size) {
  const Waiting waiting(Wait::link);
  const std::vector<char> sent(size);
  std::vector<char> received(size);
  const auto begin = std::chrono::steady_clock::now();
  check(MPI_Sendrecv(sent.data(), to_count(size), MPI_CHAR, peer, 0, received.data(), to_count(size), MPI_CHAR, peer, 0,
                     ranks.handle().communicator, MPI_STATUS_IGNORE),
        "MPI_Sendrecv");
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// One after the other, ascending. @return seconds
template <class Way>
std::vector<double> several(int repeats, Way&& way) {
  std::vector<double> seconds;
  seconds.reserve(static_cast<std::size_t>(repeats));
  for (int i = 0; i < repeats; ++i) seconds.push_back(way());
  std::ranges::sort(seconds);
  return seconds;
}

}  // namespace

Link measure_link(const Communicator& ranks, int one, int other) {
  constexpr std::size_t kLarge = std::size_t{2} << 20U;  // much more than what a shaper lets through in a burst
  Link link;
  if (ranks.rank() == one || ranks.rank() == other) {
    const bool begins = ranks.rank() == one;
    const int peer = begins ? other : one;
    std::vector<char> small(8);
    // The quickest: whatever else the machine does only adds.
    link.latency = several(50, [&] { return round_trip(ranks, peer, begins, small) / 2; }).front();
    // The median: now and then a link lets much more through than it does for long.
    const double seconds = several(5, [&] { return both_ways(ranks, peer, kLarge); })[2];
    link.bytes_per_second = kLarge / std::max(seconds - link.latency, 1e-9);
  }
  ranks.broadcast(std::span(&link, 1), one);
  return link;
}

}  // namespace mnist_dist::comm
