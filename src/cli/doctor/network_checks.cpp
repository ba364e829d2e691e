#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "findings.hpp"
#include "mnist_dist/core/counted.hpp"

namespace mnist_dist::cli::doctor {
namespace {

constexpr double kMostSecondsApart = 5;
constexpr double kMuchSlower = 4;  // times

std::string speed(const LinkFacts& link) {
  return fmt::format("{:.0f} us and {:.4g} MB/s", 1e6 * link.latency, link.bytes_per_second / 1e6);
}

bool has_end_at(const LinkFacts& link, int host) {
  return link.one == host || link.other == host;
}

const char* const kWayOut =
    "look at cables, ports and the interface that is used (ethtool; OMPI_MCA_btl_tcp_if_include), or leave it out";

}  // namespace

double clock_ahead(double before, double there, double after) {
  return there > after ? there - after : std::min(there - before, 0.0);
}

Findings check_clocks(const JobFacts& job) {
  Findings findings;
  for (const HostFacts& host : job.hosts) {
    const double apart = std::abs(host.seconds_ahead);
    if (apart <= kMostSecondsApart) continue;
    findings.push_back(
        {true, fmt::format("the clock of {} is {:.0f} s {} that of {}: set both by NTP (timedatectl "
                           "set-ntp true); files of one look newer than they are on the other",
                           host.name, apart, host.seconds_ahead > 0 ? "ahead of" : "behind", job.hosts.front().name)});
  }
  return findings;
}

std::vector<LinkFacts> slow_links(const std::vector<LinkFacts>& links) {
  std::vector<LinkFacts> slow;
  if (links.empty()) return slow;
  const double best = std::ranges::min_element(links, {}, &LinkFacts::seconds)->seconds();
  std::ranges::copy_if(links, std::back_inserter(slow),
                       [&](const LinkFacts& link) { return link.seconds() > kMuchSlower * best; });
  return slow;
}

std::vector<LinkFacts> doubtful_links(const std::vector<LinkFacts>& links) {
  constexpr double kCertainlySlow = 0.1;  // seconds
  constexpr std::size_t kFew = 28;        // all of eight hosts
  std::vector<LinkFacts> doubtful = slow_links(links);
  std::erase_if(doubtful, [](const LinkFacts& link) { return link.seconds() >= kCertainlySlow; });
  std::ranges::sort(doubtful, std::ranges::greater(), &LinkFacts::seconds);
  if (doubtful.size() > kFew) doubtful.resize(kFew);
  return doubtful;
}

Findings check_links(const JobFacts& job) {
  std::vector<LinkFacts> slow = slow_links(job.links);
  if (slow.empty()) return {};
  const std::string fastest = speed(*std::ranges::min_element(job.links, {}, &LinkFacts::seconds));
  Findings findings;
  while (!slow.empty()) {  // whoever has most of them comes first
    const auto links_of = [&](int host) {
      return std::ranges::count_if(slow, [&](const LinkFacts& link) { return has_end_at(link, host); });
    };
    int worst = 0;
    for (int host = 1; host < static_cast<int>(job.hosts.size()); ++host) {
      if (links_of(host) > links_of(worst)) worst = host;
    }
    const auto count = links_of(worst);
    const LinkFacts slowest = *std::ranges::max_element(
        slow, {}, [&](const LinkFacts& link) { return has_end_at(link, worst) ? link.seconds() : 0; });
    const std::string& name = job.hosts[static_cast<std::size_t>(worst)].name;
    const std::string& other =
        job.hosts[static_cast<std::size_t>(slowest.one == worst ? slowest.other : slowest.one)].name;
    findings.push_back(
        {true, count > 1 ? fmt::format("{} of the links of {} are slow, to {} {}, where the fastest of all has {}: {}",
                                       count, name, other, speed(slowest), fastest, kWayOut)
                         : fmt::format("the link between {} and {} is slow, {}, where the fastest of all has {}: {}",
                                       name, other, speed(slowest), fastest, kWayOut)});
    std::erase_if(slow, [&](const LinkFacts& link) { return has_end_at(link, worst); });
  }
  return findings;
}

std::vector<std::vector<std::pair<int, int>>> rounds_of_pairs(int hosts) {
  constexpr int kFew = 8;
  std::vector<std::vector<std::pair<int, int>>> rounds;
  // A tournament: one stays where it is, the others go round a circle. With an odd number, its opponent rests.
  const int circle = hosts % 2 == 0 ? hosts - 1 : hosts;
  for (int round = 0; hosts > 1 && round < circle; ++round) {
    std::vector<std::pair<int, int>> pairs;
    if (hosts % 2 == 0) pairs.emplace_back(round, circle);
    for (int step = 1; 2 * step < circle; ++step) {
      pairs.push_back(std::minmax({(round + step) % circle, (round + circle - step) % circle}));
    }
    if (hosts > kFew) rounds.push_back(pairs);
    if (hosts <= kFew) {
      for (const std::pair<int, int>& pair : pairs) rounds.push_back({pair});
    }
  }
  return rounds;
}

}  // namespace mnist_dist::cli::doctor
