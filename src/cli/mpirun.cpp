#include "mpirun.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <sstream>

#include "doctor/munge.hpp"
#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/processors.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::cli {
namespace {

constexpr int kMostSlots = train::kMostShards;  // more ranks than that share no training

/// @return 0 slots where it has no number
HostSlots parse_host(const std::string& word) {
  const std::size_t colon = word.find(':');
  HostSlots host{.name = word.substr(0, colon), .slots = 0};
  if (colon == std::string::npos && !host.name.empty()) return host;
  const char* end = word.data() + word.size();
  const auto parsed = std::from_chars(word.data() + std::min(colon, word.size() - 1) + 1, end, host.slots);
  if (host.name.empty() || parsed.ec != std::errc() || parsed.ptr != end || host.slots < 1 || host.slots > kMostSlots) {
    throw Error(ExitCode::usage, fmt::format("--hosts has '{}', but wants names such as a,b or a:4,b:8, with the ranks "
                                             "that a host takes, at most {}",
                                             printable(word), kMostSlots));
  }
  return host;
}

bool is_set(const char* variable) {
  return std::getenv(variable) != nullptr;
}

/// How many hosts Slurm has allocated to this job; 1 outside of one.
int hosts_of_slurm() {
  const char* nodes = std::getenv("SLURM_JOB_NUM_NODES");
  return nodes == nullptr ? 1 : std::atoi(nodes);
}

}  // namespace

std::vector<HostSlots> parse_hosts(const std::string& text, int ranks) {
  std::vector<HostSlots> hosts;
  if (text.empty()) return hosts;
  std::istringstream words(text + ",");
  for (std::string word; std::getline(words, word, ',');) hosts.push_back(parse_host(word));
  const auto slots = [&] {
    return std::accumulate(hosts.begin(), hosts.end(), std::int64_t{0},
                           [](std::int64_t sum, const HostSlots& host) { return sum + host.slots; });
  };
  const std::int64_t without = std::ranges::count(hosts, 0, &HostSlots::slots);
  const std::int64_t left = std::max(ranks - slots(), without);
  for (HostSlots& host : hosts) {
    if (host.slots == 0) host.slots = static_cast<int>((left + without - 1) / without);
  }
  if (slots() < ranks) {
    throw Error(ExitCode::usage,
                fmt::format("--hosts {} takes {}, and -np asks for {}: give the hosts more, or ask for "
                            "fewer",
                            printable(text), counted(slots(), "rank"), ranks));
  }
  return hosts;
}

Cores usable_cores() {
  const std::vector<int> cpus = usable_cpus();
  if (cpus.empty()) return {.number = cpus_of_machine()};
  return {.number = count_cores(cpus, cores_of_machine()), .all = static_cast<int>(cpus.size()) >= cpus_of_machine()};
}

std::vector<std::string> mpirun_words(int ranks, const std::vector<HostSlots>& hosts, const Cores& cores) {
  const bool slurm_decides = hosts.empty() && is_set("SLURM_JOB_ID");
  const bool crowded = hosts.empty() && !slurm_decides && ranks > cores.number;
  std::vector<std::string> words = {"mpirun", "--quiet"};
  const auto add = [&](const char* variable, const std::vector<std::string>& option) {
    if (!is_set(variable)) words.insert(words.end(), option.begin(), option.end());
  };
  const auto set = [&](const std::string& parameter, const std::string& value) {
    add(("OMPI_MCA_" + parameter).c_str(), {"--mca", parameter, value});
  };
  if (geteuid() == 0) add("OMPI_ALLOW_RUN_AS_ROOT", {"--allow-run-as-root"});
  if (crowded) add("OMPI_MCA_rmaps_base_oversubscribe", {"--oversubscribe"});
  // Of hosts that are named, nobody knows the cores before mpirun does, and it takes the ranks for no more than fit. A
  // rank that has its core alone loses little by it.
  if (crowded || !hosts.empty()) set("mpi_yield_when_idle", "1");
  // Here mpirun would bind to the machine's first cores, whichever this process may use. On hosts that are named,
  // better two ranks on a core than none at all.
  const char* here = crowded || !cores.all ? "none" : "core";
  if (!slurm_decides) {
    add("OMPI_MCA_hwloc_base_binding_policy", {"--bind-to", hosts.empty() ? here : "core:overload-allowed"});
  }
  if (!hosts.empty() || hosts_of_slurm() > 1) {
    // A host that does not answer is given up after 2 + 3 * 1 seconds, not after hours.
    set("oob_tcp_keepalive_time", "2");
    set("oob_tcp_keepalive_intvl", "1");
    set("oob_tcp_keepalive_probes", "3");
    // Messages of up to so many bytes are sent without asking first.
    set("btl_tcp_eager_limit", "1000000");
    set("btl_tcp_rndv_eager_limit", "1000000");
  }
  if (!hosts.empty()) {
    std::vector<std::string> names;
    names.reserve(hosts.size());
    for (const HostSlots& host : hosts) names.push_back(fmt::format("{}:{}", host.name, host.slots));
    words.insert(words.end(), {"--host", fmt::format("{}", fmt::join(names, ","))});
  }
  words.insert(words.end(), {"-np", std::to_string(ranks)});
  return words;
}

void do_without_silent_munge() {
  if (!munge_answers()) setenv("PMIX_MCA_psec", "native", 0);
}

}  // namespace mnist_dist::cli
