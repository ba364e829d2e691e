#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "findings.hpp"
#include "mnist_dist/core/counted.hpp"

namespace mnist_dist::cli::doctor {
namespace {

using Places = std::vector<std::set<int>>;  // for each rank, where it may be

/// How many ranks can have a place of their own: the largest matching, by augmenting paths (Kuhn 1955).
std::size_t most_with_own_place(const Places& places) {
  std::map<int, std::size_t> rank_at;
  std::set<int> tried;
  const std::function<bool(std::size_t)> find_place = [&](std::size_t rank) {
    for (const int place : places[rank]) {
      if (!tried.insert(place).second) continue;
      const auto taken = rank_at.find(place);
      if (taken != rank_at.end() && !find_place(taken->second)) continue;
      rank_at[place] = rank;
      return true;
    }
    return false;
  };
  std::size_t placed = 0;
  for (std::size_t rank = 0; rank < places.size(); ++rank) {
    tried.clear();
    if (find_place(rank)) ++placed;
  }
  return placed;
}

Places threads_of_ranks(const HostFacts& host) {
  Places places;
  for (const RankFacts& rank : host.ranks) places.emplace_back(rank.cpus.begin(), rank.cpus.end());
  return places;
}

Places cores_of_ranks(const HostFacts& host) {
  Places places;
  for (const std::set<int>& threads : threads_of_ranks(host)) {
    std::set<int> cores;
    for (std::size_t core = 0; core < host.cores.size(); ++core) {
      const bool may = std::ranges::any_of(host.cores[core], [&](int thread) { return threads.contains(thread); });
      if (may) cores.insert(static_cast<int>(core));
    }
    places.push_back(cores);
  }
  return places;
}

std::string all_threads(const Places& threads) {
  std::set<int> all;
  for (const std::set<int>& some : threads) all.insert(some.begin(), some.end());
  return in_ranges({all.begin(), all.end()});
}

}  // namespace

Findings check_cores(const HostFacts& host) {
  const std::size_t ranks = host.ranks.size();
  const std::size_t cores = host.cores.size();
  if (cores == 0) return {};
  std::size_t thread_count = 0;
  for (const std::vector<int>& core : host.cores) thread_count += core.size();
  const std::string threads_there = thread_count > cores ? fmt::format(" ({} hardware threads)", thread_count) : "";
  if (ranks > cores) {
    return {{true, fmt::format("{} on {}{}: start at most one for each core there (mpirun -np or --map-by ppr:{}:node, "
                               "srun --ntasks-per-node={})",
                               counted(ranks, "rank"), counted(cores, "core"), threads_there, cores, cores)}};
  }
  const Places threads = threads_of_ranks(host);
  const bool have_cores = most_with_own_place(cores_of_ranks(host)) == ranks;
  if (!have_cores && most_with_own_place(threads) == ranks) {
    return {{true, fmt::format("{} on CPUs {}, which are hardware threads of fewer cores, though there are {}: give "
                               "each rank a core (mpirun --map-by core --bind-to core, srun --hint=nomultithread)",
                               counted(ranks, "rank"), all_threads(threads), counted(cores, "core"))}};
  }
  if (!have_cores) {
    return {{true, fmt::format("{} may use CPUs {} only, though there are {}: bind each to its own core (mpirun "
                               "--bind-to core, srun --cpu-bind=cores), or give the job or container more CPUs",
                               counted(ranks, "rank"), all_threads(threads), counted(cores, "core"))}};
  }
  const bool all_alike = std::ranges::all_of(threads, [&](const std::set<int>& some) { return some == threads[0]; });
  if (ranks < 2 || !all_alike) return {};
  return {{false, fmt::format("no rank is bound to a core, and there are {} for {}: mpirun --bind-to core or srun "
                              "--cpu-bind=cores keeps each on its own",
                              cores, counted(ranks, "rank"))}};
}

}  // namespace mnist_dist::cli::doctor
