#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "mnist_dist/core/processors.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;

namespace {

using CoreList = std::vector<std::vector<int>>;

/// What a system says that has so many CPUs, by their siblings; among other folders that say nothing of cores.
CoreList cores_told_by(const std::vector<std::string>& siblings) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path() / "cpufreq");
  std::ofstream(folder.path() / "online") << "0-3\n";
  for (std::size_t cpu = 0; cpu < siblings.size(); ++cpu) {
    const std::filesystem::path topology = folder.path() / ("cpu" + std::to_string(cpu)) / "topology";
    std::filesystem::create_directories(topology);
    std::ofstream(topology / "thread_siblings_list") << siblings[cpu] << '\n';
  }
  return cores_of_machine(folder.path());
}

}  // namespace

TEST_CASE("two cores with two threads each are two cores") {
  CHECK(cores_told_by({"0,2", "1,3", "0,2", "1,3"}) == CoreList{{0, 2}, {1, 3}});
  CHECK(cores_told_by({"0-1", "0-1", "2-3", "2-3"}) == CoreList{{0, 1}, {2, 3}});
  CHECK(cores_told_by({"0", "1"}) == CoreList{{0}, {1}});
  CHECK(cores_told_by({"0-1,4", "0-1,4"}) == CoreList{{0, 1, 4}});
}

TEST_CASE("a system that does not tell of cores has none") {
  const TemporaryFolder folder;
  CHECK(cores_told_by({}).empty());
  CHECK(cores_of_machine(folder.path() / "missing").empty());
}

TEST_CASE("a core is counted once, however many of its threads may be used") {
  const CoreList cores = {{0, 2}, {1, 3}};
  CHECK(count_cores({0, 1, 2, 3}, cores) == 2);
  CHECK(count_cores({0, 1}, cores) == 2);
  CHECK(count_cores({0, 2}, cores) == 1);
  CHECK(count_cores({3}, cores) == 1);
  CHECK(count_cores({}, cores) == 0);
  // Where nobody knows the cores, each CPU may be one.
  CHECK(count_cores({0, 2}, {}) == 2);
}

TEST_CASE("each CPU that this process may use is in one core of this machine") {
  const std::vector<int> cpus = usable_cpus();
  REQUIRE(!cpus.empty());
  CHECK(cpus_of_machine() >= static_cast<int>(cpus.size()));
  const CoreList cores = cores_of_machine();
  if (cores.empty()) return;  // a container without /sys
  for (const int cpu : cpus) {
    CHECK(std::ranges::count_if(
              cores, [&](const std::vector<int>& core) { return std::ranges::find(core, cpu) != core.end(); }) == 1);
  }
}
