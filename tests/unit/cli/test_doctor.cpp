// What doctor finds in planted facts, and that it finds nothing in healthy ones.
#include <doctest/doctest.h>

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "../../../src/cli/doctor/findings.hpp"
#include "../../../src/cli/doctor/gathering.hpp"
#include "mnist_dist/core/processors.hpp"
#include "temporary_folder.hpp"
#include "variable.hpp"

using namespace mnist_dist::cli::doctor;

namespace {

constexpr double kGigabyte = 1 << 30;

/// A host of four cores with two hardware threads each: 0 and 4, 1 and 5, and so on.
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

/// Three hosts with three ranks each.
JobFacts healthy_job() {
  JobFacts job;
  job.announced = job.ranks = 9;
  job.by_mpirun = true;
  for (int host = 0; host < 3; ++host) {
    job.hosts.push_back(healthy_host("node" + std::to_string(host + 1), 3 * host, 3));
  }
  job.folder = {.path = "runs", .error = "", .has_nameless_files = true, .free = 50 * kGigabyte, .needed = 1e6};
  job.links = {{0, 1, 30e-6, 1.1e9}, {0, 2, 35e-6, 1.0e9}, {1, 2, 50e-6, 0.8e9}};
  return job;
}

/// That the job has one finding, and which words stand in it.
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

}  // namespace

TEST_CASE("nothing is found where nothing is wrong") {
  CHECK(findings_of(healthy_job()).empty());
  JobFacts alone;  // started by nobody
  alone.hosts = {healthy_host("laptop", 0, 1)};
  alone.hosts[0].ranks[0].cpus = {0, 1, 2, 3, 4, 5, 6, 7};
  alone.hosts[0].variables.clear();
  CHECK(findings_of(alone).empty());
}

TEST_CASE("doctor finds that the launcher and MPI disagree") {
  JobFacts job = healthy_job();
  job.announced = 18;
  check_one(job, true, {"18 ranks", "MPI sees 9", "--mpi=pmix"});
}

TEST_CASE("doctor finds more ranks than shards") {
  JobFacts job = healthy_job();
  job.shards_error = "9 ranks, but 8 shards";
  check_one(job, true, {"9 ranks, but 8 shards"});
}

TEST_CASE("doctor finds hosts of several kinds") {
  JobFacts job = healthy_job();
  job.hosts[1].vectors = "AVX2";
  check_one(job, false, {"AVX-512 on node1, but AVX2 on node2", "--constraint"});
  for (RankFacts& rank : job.hosts[2].ranks) rank.arithmetic = "multiply, then add";
  check_one(job, true, {"fused multiply-add on node1, but multiply, then add on node3"});
}

TEST_CASE("doctor finds more ranks than cores") {
  JobFacts job = healthy_job();
  set_cpus(job.hosts[1], {{0}, {1}, {2}, {3}, {4}});
  check_one(job, true, {"node2: 5 ranks on 4 cores (8 hardware threads)", "--ntasks-per-node=4"});
}

TEST_CASE("doctor finds ranks on the hardware threads of one core") {
  JobFacts job = healthy_job();
  set_cpus(job.hosts[0], {{0}, {4}, {1}});
  check_one(job, true, {"node1: 3 ranks on CPUs 0 to 1, 4", "fewer cores, though there are 4 cores", "nomultithread"});
  set_cpus(job.hosts[0], {{0, 4, 1, 5}, {0, 4, 1, 5}, {0, 4, 1, 5}});
  check_one(job, true, {"node1: 3 ranks on CPUs 0 to 1, 4 to 5"});
  // Enough for all, though the first comers could take the only place of the last one.
  set_cpus(job.hosts[0], {{0, 1, 2}, {0, 1}, {0}});
  CHECK(findings_of(job).empty());
}

TEST_CASE("doctor finds ranks that are bound too narrowly, or not at all") {
  JobFacts job = healthy_job();
  set_cpus(job.hosts[2], {{2}, {2}, {2}});
  check_one(job, true, {"node3: 3 ranks may use CPUs 2 only, though there are 4 cores", "--bind-to core"});
  set_cpus(job.hosts[2], std::vector<std::vector<int>>(3, {0, 1, 2, 3, 4, 5, 6, 7}));
  check_one(job, false, {"node3: no rank is bound", "4 for 3 ranks"});
  job.hosts[2].cores.clear();  // a system that does not tell
  CHECK(findings_of(job).empty());
}

TEST_CASE("hosts with the same finding share a line") {
  JobFacts job = healthy_job();
  for (HostFacts& host : job.hosts) set_cpus(host, {{2}, {2}, {2}});
  check_one(job, true, {"node1 and 2 hosts more: 3 ranks may use CPUs 2 only"});
}

TEST_CASE("doctor finds too little memory") {
  JobFacts job = healthy_job();
  job.hosts[1].memory_needed = 20 * kGigabyte;
  check_one(job, true, {"node2: at least", "of memory for 3 ranks", "--batch-size"});
}

TEST_CASE("doctor finds too little shared memory") {
  JobFacts job = healthy_job();
  job.hosts[1].shared_memory_free = 0.05 * kGigabyte;
  check_one(job, true, {"node2: /dev/shm", "--shm-size", "remount"});
  job = healthy_job();
  job.hosts[1].shared_memory = job.hosts[1].shared_memory_free = 64 << 20;
  job.hosts[1].shared_memory_needed = 20 << 20;
  check_one(job, false, {"node2: /dev/shm", "enough for these 3 ranks", "--shm-size"});
  job.hosts[1].shared_memory = job.hosts[1].shared_memory_free = -1;  // a system that has none, or does not tell
  CHECK(findings_of(job).empty());
}

TEST_CASE("doctor finds ranks that may not read each other's memory") {
  JobFacts job = healthy_job();
  job.hosts[0].ranks[2].reading_error = "Operation not permitted";
  check_one(job, true, {"node1: rank 2", "Operation not permitted", "single_copy_mechanism=none", "ptrace_scope"});
  job.hosts[0].variables["OMPI_MCA_btl_vader_single_copy_mechanism"] = "none";
  CHECK(findings_of(job).empty());
}

TEST_CASE("doctor finds munge without its daemon") {
  JobFacts job = healthy_job();
  job.hosts[2].munge_is_silent = true;
  check_one(job, false, {"node3: munge", "PMIX_MCA_psec=native"});
  job.hosts[2].variables["PMIX_MCA_psec"] = "native";
  CHECK(findings_of(job).empty());
}

TEST_CASE("doctor finds what slows OpenBLAS down, and threads that nobody starts") {
  JobFacts job = healthy_job();
  job.hosts[0].slow_blas = "OpenBLAS takes it for a Prescott";
  check_one(job, false, {"node1: OpenBLAS takes it for a Prescott"});
  job = healthy_job();
  job.hosts[0].variables["OPENBLAS_NUM_THREADS"] = "8";
  check_one(job, false, {"node1: OPENBLAS_NUM_THREADS=8 has no effect"});
}

TEST_CASE("doctor finds a data set that a host cannot open") {
  JobFacts job = healthy_job();
  job.hosts[1].data_error = "cannot read mnist.h5: No such file or directory";
  check_one(job, true, {"node2: cannot read mnist.h5"});
}

TEST_CASE("doctor finds another data set, and none") {
  JobFacts job = healthy_job();
  job.hosts[2].content_sha256 = "fedcba9876543210";
  check_one(job, true, {"on node3 is another one than on node1", "fedcba987654", "0123456789ab"});
  job = healthy_job();
  job.missing_data = "mnist.h5";
  check_one(job, false, {"mnist.h5 is not there"});
}

TEST_CASE("doctor finds a folder in which runs cannot be written") {
  JobFacts job = healthy_job();
  job.folder.error = "cannot write runs/x: Read-only file system";
  check_one(job, true, {"Read-only file system", "-o"});
}

TEST_CASE("doctor finds a folder that hosts do not share, or not with its locks") {
  JobFacts job = healthy_job();
  job.hosts[1].sees_folder = job.hosts[1].sees_lock = false;
  check_one(job, true, {"node2 cannot see what node1 writes in runs"});
  job.hosts[2].sees_folder = job.hosts[2].sees_lock = false;
  check_one(job, true, {"node2 and 1 host more cannot see"});
  job = healthy_job();
  job.hosts[1].sees_lock = false;
  check_one(job, true, {"node2 may lock a file of runs that node1 has locked", "nolock", "Lustre"});
}

TEST_CASE("doctor finds a file system without O_TMPFILE") {
  JobFacts job = healthy_job();
  job.folder.has_nameless_files = false;
  check_one(job, false, {"O_TMPFILE", ".partial"});
}

TEST_CASE("doctor finds too little room for a run") {
  JobFacts job = healthy_job();
  job.folder.free = 0.9e6;
  check_one(job, true, {"runs has room for", "make room"});
  job.folder.free = -1;  // a file system that does not tell
  CHECK(findings_of(job).empty());
}

TEST_CASE("doctor finds clocks that differ") {
  JobFacts job = healthy_job();
  job.hosts[1].seconds_ahead = 4;
  CHECK(findings_of(job).empty());
  job.hosts[1].seconds_ahead = 90;
  check_one(job, true, {"the clock of node2 is 90 s ahead of that of node1", "NTP"});
  job.hosts[1].seconds_ahead = -90;
  check_one(job, true, {"90 s behind"});
}

TEST_CASE("a clock is ahead by what its look cannot explain") {
  CHECK(clock_ahead(100, 101, 102) == 0);
  CHECK(clock_ahead(100, 100, 100) == 0);
  CHECK(clock_ahead(100, 107, 102) == 5);
  CHECK(clock_ahead(100, 93, 102) == -7);
}

TEST_CASE("doctor finds a slow host, and a slow link") {
  JobFacts job = healthy_job();
  job.links[0].bytes_per_second = job.links[2].bytes_per_second = 1.2e6;
  check_one(job, true, {"2 of the links of node2 are slow", "1.2 MB/s", "1000 MB/s", "ethtool"});
  job = healthy_job();
  job.links[2].bytes_per_second = 0.1e9;
  check_one(job, true, {"the link between node2 and node3 is slow", "100 MB/s"});
  job = healthy_job();
  job.links[1].latency = 5e-3;
  check_one(job, true, {"the link between node1 and node3 is slow, 5000 us"});
}

TEST_CASE("doctor measures only the slowest links again") {
  std::vector<LinkFacts> links = {{0, 1, 1e-5, 1e9}, {0, 2, 1, 1e9}};  // the second is certainly slow
  CHECK(doubtful_links(links).empty());
  for (int host = 3; host < 100; ++host) links.push_back({0, host, 1e-4 * host, 1e9});
  const std::vector<LinkFacts> doubtful = doubtful_links(links);
  REQUIRE(doubtful.size() == 28);
  CHECK(doubtful.front().other == 99);
  CHECK(doubtful.back().other == 72);
}

TEST_CASE("doctor finds that mpirun would not notice a cut link") {
  JobFacts job = healthy_job();
  for (HostFacts& host : job.hosts) host.variables.clear();
  check_one(job, false, {"cut link", "OMPI_MCA_oob_tcp_keepalive_time"});
  job.by_mpirun = false;
  CHECK(findings_of(job).empty());
}

TEST_CASE("each pair of hosts is measured once, and no host is in two pairs at a time") {
  for (int hosts = 1; hosts <= 20; ++hosts) {
    CAPTURE(hosts);
    std::set<std::pair<int, int>> all;
    for (const auto& round : rounds_of_pairs(hosts)) {
      if (hosts <= 8) CHECK(round.size() == 1);
      std::set<int> busy;
      for (const auto& [one, other] : round) {
        CHECK(0 <= one);
        CHECK(one < other);
        CHECK(other < hosts);
        CHECK(all.insert({one, other}).second);
        CHECK(busy.insert(one).second);
        CHECK(busy.insert(other).second);
      }
    }
    CHECK(all.size() == static_cast<std::size_t>(hosts * (hosts - 1) / 2));
  }
}

TEST_CASE("facts travel as they are") {
  HostFacts host = healthy_host("node1", 2, 2);
  host.slow_blas = "slow";
  host.munge_is_silent = true;
  host.data_error = "caf\xe9";  // not UTF-8
  host.sees_folder = false;
  host.sees_lock = false;
  host.ranks[1].reading_error = "no";
  HostFacts back;
  from_text(to_text(host), back);
  CHECK(back.data_error == "caf\xef\xbf\xbd");
  back.data_error = host.data_error;
  CHECK(back.name == "node1");
  CHECK(back.vectors == "AVX-512");
  CHECK(back.slow_blas == "slow");
  CHECK(back.cores == host.cores);
  CHECK(back.variables == host.variables);
  CHECK(back.munge_is_silent);
  CHECK(back.shared_memory == host.shared_memory);
  CHECK(back.shared_memory_free == host.shared_memory_free);
  CHECK(back.shared_memory_needed == host.shared_memory_needed);
  CHECK(back.memory_needed == host.memory_needed);
  CHECK(back.memory == host.memory);
  CHECK(back.content_sha256 == host.content_sha256);
  CHECK(!back.sees_folder);
  CHECK(!back.sees_lock);
  REQUIRE(back.ranks.size() == 2);
  CHECK(back.ranks[1].rank == 3);
  CHECK(back.ranks[1].cpus == std::vector<int>{1, 5});
  CHECK(back.ranks[1].arithmetic == "fused multiply-add");
  CHECK(back.ranks[1].reading_error == "no");
}

TEST_CASE("doctor sees this machine") {
  const HostFacts host = look_at_host();
  CHECK(!host.name.empty());
  CHECK(host.memory > 0);
  CHECK(host.cores == mnist_dist::cores_of_machine());
}

TEST_CASE("doctor reads what Open MPI reads at home") {
  const char* const kName = "OMPI_MCA_oob_tcp_keepalive_time";
  const TemporaryFolder home;
  const Variable home_variable("HOME", home.path().c_str());
  const Variable unset(kName, nullptr);
  std::filesystem::create_directory(home.path() / ".openmpi");
  std::ofstream(home.path() / ".openmpi/mca-params.conf") << "# oob_tcp_keepalive_time = 1\noob_tcp_keepalive_time=2\n";
  CHECK(look_at_host().variables.at(kName) == "2");
  setenv(kName, "3", 1);
  CHECK(look_at_host().variables.at(kName) == "3");
}
