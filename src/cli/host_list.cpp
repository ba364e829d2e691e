#include "host_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>

#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/nn/arithmetic.hpp"

namespace mnist_dist::cli {
namespace {

constexpr std::size_t kMostLines = 8;

/// Of hosts that are alike.
std::string group_line(const HostRanks& first, std::size_t count) {
  const bool is_alone = count == 1;
  return fmt::format("{}{}: {}{}, {}", first.name,
                     is_alone ? "" : fmt::format(" and {} like it", counted(count - 1, "host")),
                     counted(first.ranks.size(), "rank"), is_alone ? "" : " each", first.vectors);
}

}  // namespace

std::vector<std::string> gather_texts(const comm::Communicator& ranks, const std::string& mine) {
  const std::vector<int> sizes = ranks.all_gather(static_cast<int>(mine.size()));
  std::string all;
  if (ranks.rank() == 0) all.resize(static_cast<std::size_t>(std::accumulate(sizes.begin(), sizes.end(), 0L)));
  ranks.gather_parts(std::span<const char>(mine), std::span<char>(all));
  std::vector<std::string> texts;
  if (ranks.rank() != 0) return texts;
  std::size_t begin = 0;
  for (const int size : sizes) {
    texts.push_back(all.substr(begin, static_cast<std::size_t>(size)));
    begin += static_cast<std::size_t>(size);
  }
  return texts;
}

std::vector<HostRanks> gather_hosts(const comm::Communicator& world, const comm::Communicator& host) {
  int first = world.rank();
  host.broadcast(std::span(&first, 1));
  const std::vector<int> firsts = world.all_gather(first);
  const std::vector<std::string> names = gather_texts(world, host_name());
  const std::vector<std::string> vectors = gather_texts(world, nn::kernel_vectors());
  std::vector<HostRanks> hosts;
  for (std::size_t rank = 0; rank < names.size(); ++rank) {  // the ranks of a host lie side by side
    if (firsts[rank] == static_cast<int>(rank)) hosts.push_back({printable(names[rank]), {}, vectors[rank]});
    hosts.back().ranks.push_back(world.rank_of_launcher(static_cast<int>(rank)));
  }
  for (HostRanks& one : hosts) std::ranges::sort(one.ranks);
  return hosts;
}

std::vector<std::string> host_lines(const std::vector<HostRanks>& hosts) {
  std::vector<std::string> lines;
  if (hosts.size() <= kMostLines) {
    for (const HostRanks& host : hosts) {
      lines.push_back(fmt::format("{}: rank{} {}, {}", host.name, host.ranks.size() == 1 ? "" : "s",
                                  in_ranges(host.ranks), host.vectors));
    }
    return lines;
  }
  std::vector<HostRanks> left = hosts;
  while (!left.empty() && lines.size() < kMostLines) {
    const HostRanks like = left.front();
    const std::size_t before = left.size();
    std::erase_if(left, [&](const HostRanks& host) {
      return host.ranks.size() == like.ranks.size() && host.vectors == like.vectors;
    });
    lines.push_back(group_line(like, before - left.size()));
  }
  if (!left.empty()) lines.push_back(fmt::format("{} more", counted(left.size(), "host")));
  return lines;
}

}  // namespace mnist_dist::cli
