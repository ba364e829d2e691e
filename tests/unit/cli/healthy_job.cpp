#include "healthy_job.hpp"

#include <doctest/doctest.h>

#include "../../../src/cli/doctor/findings.hpp"

using namespace mnist_dist::cli::doctor;

HostFacts healthy_host(const std::string& name, int first_rank, int ranks) {
  HostFacts host;
  host.name = name;
  host.vectors = "AVX-512";
  host.cores = {{0, 4}, {1, 5}, {2, 6}, {3, 7}};
  host.variables = {{"OMPI_MCA_oob_tcp_keepalive_time", "10"}, {"OMP_NUM_THREADS", "1"}};
  host.shared_memory = host.memory = 16 * kGigabyte;
  host.shared_memory_free = 15 * kGigabyte;
  host.shared_memory_needed = 0.1 * kGigabyte;
  host.memory_needed = 1 * kGigabyte;
  host.content_sha256 = "0123456789abcdef";
  for (int rank = 0; rank < ranks; ++rank) {
    host.ranks.push_back({first_rank + rank, {rank, rank + 4}, "fused multiply-add", ""});
  }
  return host;
}

JobFacts healthy_job() {
  JobFacts job;
  job.announced = job.ranks = 9;
  job.by_mpirun = true;
  for (int host = 0; host < 3; ++host) {
    job.hosts.push_back(healthy_host("node" + std::to_string(host + 1), 3 * host, 3));
  }
  job.folder = {
      .path = "runs", .error = "", .run_there = "", .has_nameless_files = true, .free = 50 * kGigabyte, .needed = 1e6};
  job.links = {{0, 1, 30e-6, 1.1e9}, {0, 2, 35e-6, 1.0e9}, {1, 2, 50e-6, 0.8e9}};
  return job;
}

void check_one(const JobFacts& job, bool is_problem, const std::vector<std::string>& words) {
  const Findings findings = findings_of(job);
  std::string all;
  for (const Finding& finding : findings) all += finding.text + "\n";
  INFO(all);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].is_problem == is_problem);
  CHECK(findings[0].text.find('\n') == std::string::npos);
  for (const std::string& word : words) {
    INFO(word);
    CHECK(findings[0].text.find(word) != std::string::npos);
  }
}

void set_cpus(HostFacts& host, const std::vector<std::vector<int>>& cpus) {
  host.ranks.resize(cpus.size(), host.ranks.front());
  for (std::size_t rank = 0; rank < cpus.size(); ++rank) host.ranks[rank].cpus = cpus[rank];
}
