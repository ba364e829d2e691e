// mpirun's words: what is said to it for so many ranks on such hosts, and what is left to the user.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "../../../src/cli/mpirun.hpp"
#include "message_of.hpp"
#include "mnist_dist/core/error.hpp"
#include "variable.hpp"

using mnist_dist::ExitCode;
using mnist_dist::cli::HostSlots;
using mnist_dist::cli::mpirun_words;
using mnist_dist::cli::parse_hosts;

namespace {

using Hosts = std::vector<HostSlots>;
using Words = std::vector<std::string>;

/// Nobody has told Open MPI anything, and there is no Slurm.
struct Untold {
  Variable root{"OMPI_ALLOW_RUN_AS_ROOT", "1"};
  Variable oversubscribe{"OMPI_MCA_rmaps_base_oversubscribe", nullptr};
  Variable binding{"OMPI_MCA_hwloc_base_binding_policy", nullptr};
  Variable yield{"OMPI_MCA_mpi_yield_when_idle", nullptr};
  Variable job{"SLURM_JOB_ID", nullptr};
  Variable nodes{"SLURM_JOB_NUM_NODES", nullptr};
};

bool has(const Words& words, const Words& part) {
  return !std::ranges::search(words, part).empty();
}

}  // namespace

TEST_CASE("Hosts without a number share the ranks that the others leave") {
  CHECK(parse_hosts("", 8).empty());
  CHECK(parse_hosts("a,b", 8) == Hosts{{"a", 4}, {"b", 4}});
  CHECK(parse_hosts("a,b:5,c", 8) == Hosts{{"a", 2}, {"b", 5}, {"c", 2}});
  CHECK(parse_hosts("a:8,b", 8) == Hosts{{"a", 8}, {"b", 1}});
  CHECK(parse_hosts("a:4,b:8", 6) == Hosts{{"a", 4}, {"b", 8}});
  CHECK(parse_hosts("a:65536,b", 65536) == Hosts{{"a", 65536}, {"b", 1}});
  std::string many = "a:65536";  // more slots than an int has
  for (int i = 1; i < 32768; ++i) many += ",a:65536";
  CHECK(parse_hosts(many, 1).size() == 32768);
}

TEST_CASE("Wrong hosts are named") {
  for (const std::string wrong :
       {"a:0", "a:-1", "a:", "a:x", "a:4x", ":4", ",", "a,,b", "a,", "a:1:2", "a:65537", "a:2000000000,b:2000000000"}) {
    CAPTURE(wrong);
    CHECK(message_of(ExitCode::usage, [&] { static_cast<void>(parse_hosts(wrong, 1)); }) != "no error");
  }
  CHECK(message_of(ExitCode::usage, [] {
          static_cast<void>(parse_hosts("a:2,b:3", 6));
        }).find("a:2,b:3 takes 5 ranks, and -np asks for 6") != std::string::npos);
}

TEST_CASE("Ranks are bound to cores where each has one, and take turns where not") {
  const Untold untold;
  CHECK(mpirun_words(2, {}, {.number = 2}) == Words{"mpirun", "--quiet", "--bind-to", "core", "-np", "2"});
  CHECK(mpirun_words(3, {}, {.number = 2}) == Words{"mpirun", "--quiet", "--oversubscribe", "--mca",
                                                    "mpi_yield_when_idle", "1", "--bind-to", "none", "-np", "3"});
  // Of a machine's cores, mpirun would take others.
  CHECK(has(mpirun_words(2, {}, {.number = 2, .all = false}), {"--bind-to", "none"}));
}

TEST_CASE("Between hosts, a lost one is noticed") {
  const Untold untold;
  const Words words = mpirun_words(6, {{"a", 4}, {"b", 2}}, {.number = 4});
  CHECK(has(words, {"--mca", "oob_tcp_keepalive_time", "2"}));
  CHECK(has(words, {"--mca", "btl_tcp_eager_limit", "1000000"}));
  CHECK(has(words, {"--host", "a:4,b:2", "-np", "6"}));
  CHECK_FALSE(has(words, {"--oversubscribe"}));
  // This machine's cores are not theirs.
  for (const int cores : {1, 64}) {
    for (const Hosts& hosts : {Hosts{{"a", 4}, {"b", 2}}, Hosts{{"a", 6}}}) {
      const Words other = mpirun_words(6, hosts, {.number = cores, .all = false});
      CHECK(has(other, {"--bind-to", "core:overload-allowed"}));
      CHECK_FALSE(has(other, {"--oversubscribe"}));
      CHECK(has(other, {"--mca", "mpi_yield_when_idle", "1"}));
    }
  }
  CHECK(has(mpirun_words(4, {{"a", 4}}, {.number = 4}), {"oob_tcp_keepalive_time"}));
}

TEST_CASE("Slurm decides on its allocation") {
  const Untold untold;
  const Variable job("SLURM_JOB_ID", "1");
  CHECK(mpirun_words(64, {}, {.number = 2}) == Words{"mpirun", "--quiet", "-np", "64"});
  const Variable nodes("SLURM_JOB_NUM_NODES", "4");
  CHECK(has(mpirun_words(64, {}, {.number = 2}), {"--mca", "oob_tcp_keepalive_time", "2"}));
}

TEST_CASE("What the user has told Open MPI stays") {
  const Untold untold;
  const Variable binding("OMPI_MCA_hwloc_base_binding_policy", "socket");
  const Variable oversubscribe("OMPI_MCA_rmaps_base_oversubscribe", "0");
  const Variable yield("OMPI_MCA_mpi_yield_when_idle", "0");
  CHECK(mpirun_words(3, {}, {.number = 2}) == Words{"mpirun", "--quiet", "-np", "3"});
  CHECK_FALSE(has(mpirun_words(3, {{"a", 3}}, {.number = 2}), {"mpi_yield_when_idle"}));
}
