#include "mnist_dist/core/processors.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <system_error>

namespace mnist_dist {
namespace {

static_assert(kMostCpus == CPU_SETSIZE);

/// The numbers in a list of the system's, such as "0,4" or "0-3,8".
std::vector<int> numbers_in(const std::string& list) {
  std::vector<int> numbers;
  std::istringstream parts(list);
  for (std::string part; std::getline(parts, part, ',');) {
    const int first = std::atoi(part.c_str());
    const std::size_t dash = part.find('-');
    const int last = dash == std::string::npos ? first : std::atoi(part.c_str() + dash + 1);
    for (int number = first; number <= last; ++number) numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

std::vector<int> usable_cpus() {
  cpu_set_t usable;
  CPU_ZERO(&usable);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) return cpus;
  for (int cpu = 0; cpu < kMostCpus; ++cpu) {
    if (CPU_ISSET(cpu, &usable)) cpus.push_back(cpu);
  }
  return cpus;
}

int cpus_of_machine() {
  return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
}

std::vector<std::vector<int>> cores_of_machine(const std::filesystem::path& folder) {
  std::set<std::vector<int>> cores;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    std::ifstream file(entry.path() / "topology" / "thread_siblings_list");
    std::string list;
    if (std::getline(file, list)) cores.insert(numbers_in(list));
  }
  return {cores.begin(), cores.end()};
}

int count_cores(const std::vector<int>& cpus, const std::vector<std::vector<int>>& cores) {
  const auto count = std::ranges::count_if(
      cores, [&](const std::vector<int>& core) { return std::ranges::find_first_of(core, cpus) != core.end(); });
  return count > 0 ? static_cast<int>(count) : static_cast<int>(cpus.size());
}

}  // namespace mnist_dist
