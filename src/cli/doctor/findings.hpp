// What `mnist-dist doctor` says of a job: checks that take facts and give findings, a line each with its way out.
// Local.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "facts.hpp"

namespace mnist_dist::cli::doctor {

struct Finding {
  bool is_problem;  ///< otherwise a note: the job works, but not as well as it could
  std::string text;
};
using Findings = std::vector<Finding>;

Findings check_launcher(const JobFacts& job);
Findings check_shards(const JobFacts& job);
Findings check_arithmetic(const JobFacts& job);
Findings check_keepalive(const JobFacts& job);
Findings check_munge(const HostFacts& host);
Findings check_blas(const HostFacts& host);
Findings check_threads(const HostFacts& host);

/// Ranks and cores: too many ranks, two on one core's hardware threads, bound too narrowly, not bound.
Findings check_cores(const HostFacts& host);
Findings check_memory(const HostFacts& host);
Findings check_shared_memory(const HostFacts& host);
Findings check_reading(const HostFacts& host);

Findings check_data(const JobFacts& job);
Findings check_folder(const JobFacts& job);
Findings check_locks(const JobFacts& job);
Findings check_free_space(const JobFacts& job);

Findings check_clocks(const JobFacts& job);
Findings check_links(const JobFacts& job);

/// All of them; those of hosts that are alike in a finding stand in one line.
[[nodiscard]] Findings findings_of(const JobFacts& job);

/// Hosts, by their names: "node2", or "node2 and 3 hosts more"; "" for none.
[[nodiscard]] std::string in_words(const std::vector<std::string>& hosts);

/// The links that are much slower than the fastest one.
[[nodiscard]] std::vector<LinkFacts> slow_links(const std::vector<LinkFacts>& links);

/// Of those, the ones to measure again: the slowest first, few enough for some seconds, and none that is certainly
/// slow.
[[nodiscard]] std::vector<LinkFacts> doubtful_links(const std::vector<LinkFacts>& links);

/// How to measure the links of each pair of so many hosts: rounds, one after the other, in each of which no host is in
/// two pairs. Up to eight hosts have a round for each pair, in which nothing else is sent.
[[nodiscard]] std::vector<std::vector<std::pair<int, int>>> rounds_of_pairs(int hosts);

/// By how many seconds a clock is ahead, at least, that showed `there` between two looks at one's own; 0 where both may
/// show the same.
[[nodiscard]] double clock_ahead(double before, double there, double after);

}  // namespace mnist_dist::cli::doctor
