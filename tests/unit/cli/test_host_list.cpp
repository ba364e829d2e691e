// The lines that tell which hosts take part.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "../../../src/cli/host_list.hpp"

using namespace mnist_dist;
using cli::host_lines;
using cli::HostRanks;
using Lines = std::vector<std::string>;

namespace {

/// node1, node2 and so on, each with so many ranks.
std::vector<HostRanks> hosts_of(int count, int ranks) {
  std::vector<HostRanks> hosts;
  for (int host = 0; host < count; ++host) {
    hosts.push_back({"node" + std::to_string(host + 1), {}, "AVX-512"});
    for (int rank = 0; rank < ranks; ++rank) hosts.back().ranks.push_back(host * ranks + rank);
  }
  return hosts;
}

}  // namespace

TEST_CASE("a few hosts have a line each") {
  CHECK(host_lines(hosts_of(2, 4)) == Lines{"node1: ranks 0 to 3, AVX-512", "node2: ranks 4 to 7, AVX-512"});
  CHECK(host_lines({{"here", {3}, "AVX2"}, {"there", {0, 2, 4}, "NEON"}}) ==
        Lines{"here: rank 3, AVX2", "there: ranks 0, 2, 4, NEON"});
  CHECK(host_lines(hosts_of(8, 1)).size() == 8);
}

TEST_CASE("of many hosts, those that are alike share a line") {
  std::vector<HostRanks> hosts = hosts_of(9, 2);
  CHECK(host_lines(hosts) == Lines{"node1 and 8 hosts like it: 2 ranks each, AVX-512"});
  hosts[3].vectors = "AVX2";
  hosts[8].ranks.pop_back();
  CHECK(host_lines(hosts) ==
        Lines{"node1 and 6 hosts like it: 2 ranks each, AVX-512", "node4: 2 ranks, AVX2", "node9: 1 rank, AVX-512"});
}

TEST_CASE("of many kinds of hosts, the first eight are told") {
  std::vector<HostRanks> hosts = hosts_of(30, 1);
  for (std::size_t i = 0; i < hosts.size(); ++i) hosts[i].vectors = std::to_string(i / 3);
  const Lines lines = host_lines(hosts);
  REQUIRE(lines.size() == 9);
  CHECK(lines[7] == "node22 and 2 hosts like it: 1 rank each, 7");
  CHECK(lines[8] == "6 hosts more");
}
