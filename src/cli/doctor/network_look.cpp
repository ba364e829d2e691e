#include <algorithm>
#include <chrono>
#include <span>

#include "findings.hpp"
#include "gathering.hpp"
#include "mnist_dist/comm/link.hpp"

namespace mnist_dist::cli::doctor {
namespace {

double clock_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Collective. @return what the ranks have measured, at rank 0
std::vector<LinkFacts> gathered(const comm::Communicator& hosts, const std::vector<LinkFacts>& mine) {
  std::size_t count = 0;
  for (const int size : hosts.all_gather(static_cast<int>(mine.size()))) count += static_cast<std::size_t>(size);
  std::vector<LinkFacts> all(hosts.rank() == 0 ? count : 0);
  hosts.gather_parts(std::span<const LinkFacts>(mine), std::span(all));
  return all;
}

/// Collective: measures links that seem slow once more, since another process may have been in the way.
void measure_again(const comm::Communicator& hosts, std::vector<LinkFacts>& links) {
  std::vector<LinkFacts> slow = doubtful_links(links);
  auto count = static_cast<int>(slow.size());
  hosts.broadcast(std::span(&count, 1));
  slow.resize(static_cast<std::size_t>(count));
  hosts.broadcast(std::span(slow));
  for (const LinkFacts& one : slow) {
    const bool is_mine = hosts.rank() == one.one || hosts.rank() == one.other;
    const comm::Communicator pair = hosts.split(is_mine ? 0 : 1);
    comm::Link link;
    if (is_mine) link = comm::measure_link(pair);
    hosts.broadcast(std::span(&link, 1), one.one);
    const LinkFacts again{one.one, one.other, link.latency, link.bytes_per_second};
    const auto before = std::ranges::find_if(
        links, [&](const LinkFacts& other) { return other.one == one.one && other.other == one.other; });
    if (before != links.end() && again.seconds() < before->seconds()) *before = again;
  }
}

}  // namespace

std::vector<double> compare_clocks(const comm::Communicator& hosts) {
  hosts.barrier();
  const double before = clock_now();
  int go = 0;
  hosts.broadcast(std::span(&go, 1));  // nobody looks earlier
  const double now = clock_now();
  std::vector<double> all(hosts.rank() == 0 ? static_cast<std::size_t>(hosts.size()) : 0);
  hosts.gather_parts(std::span<const double>(&now, 1), std::span(all));
  const double after = clock_now();
  for (double& clock : all) clock = clock_ahead(before, clock, after);
  return all;
}

std::vector<LinkFacts> measure_links(const comm::Communicator& hosts) {
  constexpr int kTrials = 8;
  std::vector<LinkFacts> mine;
  for (const auto& round : rounds_of_pairs(hosts.size())) {
    int color = static_cast<int>(round.size());  // of those that rest
    for (std::size_t i = 0; i < round.size(); ++i) {
      if (hosts.rank() == round[i].first || hosts.rank() == round[i].second) color = static_cast<int>(i);
    }
    const comm::Communicator pair = hosts.split(color);
    if (color == static_cast<int>(round.size())) continue;
    const comm::Link link = comm::measure_link(pair);
    const auto& [one, other] = round[static_cast<std::size_t>(color)];
    if (pair.rank() == 0) mine.push_back({one, other, link.latency, link.bytes_per_second});
  }
  std::vector<LinkFacts> links = gathered(hosts, mine);
  for (int trial = 0; trial < kTrials; ++trial) measure_again(hosts, links);
  return links;
}

}  // namespace mnist_dist::cli::doctor
