// What doctor finds in planted facts of a whole job and of what lies between its hosts, and how it learns these.
#include <doctest/doctest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "../../../src/cli/doctor/findings.hpp"
#include "../../../src/cli/doctor/gathering.hpp"
#include "healthy_job.hpp"

using namespace mnist_dist::cli::doctor;

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

TEST_CASE("hosts with the same finding share a line") {
  JobFacts job = healthy_job();
  for (HostFacts& host : job.hosts) set_cpus(host, {{2}, {2}, {2}});
  check_one(job, true, {"node1 and 2 hosts more: 3 ranks may use CPUs 2 only"});
}

TEST_CASE("doctor finds another data set, and none") {
  JobFacts job = healthy_job();
  job.hosts[2].content_sha256 = "fedcba9876543210";
  check_one(job, true, {"on node3 is another one than on node1", "fedcba987654", "0123456789ab"});
  job = healthy_job();
  job.missing_data = "mnist.h5";
  check_one(job, false, {"mnist.h5 is not there"});
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
