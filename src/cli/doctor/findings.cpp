#include "findings.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mnist_dist/core/counted.hpp"

namespace mnist_dist::cli::doctor {
namespace {

/// A check of every host; those with the same finding share a line.
Findings of_all_hosts(const JobFacts& job, Findings (*check)(const HostFacts&)) {
  struct Shared {
    Finding finding;
    std::vector<std::string> hosts;
  };
  std::vector<Shared> shared;
  for (const HostFacts& host : job.hosts) {
    for (Finding& one : check(host)) {
      const auto same = std::ranges::find_if(shared, [&](const Shared& s) { return s.finding.text == one.text; });
      if (same != shared.end()) {
        same->hosts.push_back(host.name);
      } else {
        shared.push_back({std::move(one), {host.name}});
      }
    }
  }
  Findings findings;
  for (const auto& [finding, hosts] : shared) {
    findings.push_back({finding.is_problem, fmt::format("{}: {}", in_words(hosts), finding.text)});
  }
  return findings;
}

}  // namespace

std::string in_words(const std::vector<std::string>& hosts) {
  if (hosts.empty()) return {};
  if (hosts.size() == 1) return hosts.front();
  return fmt::format("{} and {} more", hosts.front(), counted(hosts.size() - 1, "host"));
}

Findings findings_of(const JobFacts& job) {
  Findings all;
  const auto add = [&](Findings&& some) { std::ranges::move(some, std::back_inserter(all)); };
  for (const auto check : {check_launcher, check_shards, check_arithmetic}) add(check(job));
  for (const auto check :
       {check_cores, check_memory, check_shared_memory, check_reading, check_munge, check_blas, check_threads}) {
    add(of_all_hosts(job, check));
  }
  for (const auto check :
       {check_data, check_folder, check_locks, check_free_space, check_clocks, check_links, check_keepalive}) {
    add(check(job));
  }
  return all;
}

}  // namespace mnist_dist::cli::doctor
