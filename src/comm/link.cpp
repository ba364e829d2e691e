#include "mnist_dist/comm/link.hpp"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <span>
#include <vector>

#include "hang_watch.hpp"
#include "mpi_handle.hpp"

namespace mnist_dist::comm {
namespace {

/// Sends the bytes there and back. @return seconds
double round_trip(const Communicator& hosts, int peer, bool begins, std::vector<char>& bytes) {
  const Waiting waiting(Wait::link);
  const auto send = [&] {
    check(MPI_Send(bytes.data(), to_count(bytes.size()), MPI_CHAR, peer, 0, hosts.handle().communicator), "MPI_Send");
  };
  const auto receive = [&] {
    check(MPI_Recv(bytes.data(), to_count(bytes.size()), MPI_CHAR, peer, 0, hosts.handle().communicator,
                   MPI_STATUS_IGNORE),
          "MPI_Recv");
  };
  const auto begin = std::chrono::steady_clock::now();
  if (begins) send();
  receive();
  if (!begins) send();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// All send to the next one and receive from the one before at once, as hosts do in a step: many a link is slower then.
/// @return seconds
double around(const Communicator& hosts, std::size_t size) {
  const Waiting waiting(Wait::link);
  const std::vector<char> sent(size);
  std::vector<char> received(size);
  const int next = (hosts.rank() + 1) % hosts.size();
  const int before = (hosts.rank() + hosts.size() - 1) % hosts.size();
  const auto begin = std::chrono::steady_clock::now();
  check(MPI_Sendrecv(sent.data(), to_count(size), MPI_CHAR, next, 0, received.data(), to_count(size), MPI_CHAR, before,
                     0, hosts.handle().communicator, MPI_STATUS_IGNORE),
        "MPI_Sendrecv");
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

Link measure_link(const Communicator& hosts) {
  constexpr int kRoundTrips = 50;
  constexpr std::size_t kRounds = 9;
  // About what a step sends, and more than a shaper lets through at once.
  constexpr std::size_t kBytes = std::size_t{512} * 1024;
  const int last = hosts.size() - 1;
  // The quickest: whatever else the machine does only adds.
  double latency = std::numeric_limits<double>::infinity();
  std::vector<char> small(8);
  for (int i = 0; i < kRoundTrips && (hosts.rank() == 0 || hosts.rank() == last); ++i) {
    latency = std::min(latency, round_trip(hosts, last - hosts.rank(), hosts.rank() == 0, small) / 2);
  }
  hosts.broadcast(std::span(&latency, 1));
  // The median: now and then a link lets more through than it does for long.
  std::array<double, kRounds> rounds{};
  for (double& slowest : rounds) {
    hosts.barrier();
    const double mine = around(hosts, kBytes);
    std::vector<double> all(static_cast<std::size_t>(hosts.size()));
    hosts.all_gather_parts(std::span<const double>(&mine, 1), std::span(all));
    slowest = *std::ranges::max_element(all);
  }
  std::ranges::sort(rounds);
  return {.latency = latency, .bytes_per_second = kBytes / std::max(rounds[kRounds / 2] - latency, 1e-9)};
}

Link measure_link(const Communicator& ranks, const Communicator& host) {
  const bool is_first = host.rank() == 0;
  const Communicator alike = ranks.split(is_first ? 0 : 1);
  Link link;
  if (is_first) link = measure_link(alike);
  ranks.broadcast(std::span(&link, 1));
  return link;
}

}  // namespace mnist_dist::comm
