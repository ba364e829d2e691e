// The processors of this machine: the system's CPUs, which are hardware threads, and the cores that these belong to.
// Local.
#pragma once

#include <filesystem>
#include <vector>

namespace mnist_dist {

/// The numbers of CPUs are smaller.
inline constexpr int kMostCpus = 1024;

/// The CPUs on which this process may run, by the system's numbers, in order; none where the system does not tell.
[[nodiscard]] std::vector<int> usable_cpus();

/// How many CPUs the machine has, whichever this process may use.
[[nodiscard]] int cpus_of_machine();

/// The CPUs of each core; none where the system does not tell. @param folder where it tells
[[nodiscard]] std::vector<std::vector<int>> cores_of_machine(
    const std::filesystem::path& folder = "/sys/devices/system/cpu");

/// How many cores these CPUs belong to: two hardware threads of one core are one. As many as the CPUs where no cores
/// are known.
[[nodiscard]] int count_cores(const std::vector<int>& cpus, const std::vector<std::vector<int>>& cores);

}  // namespace mnist_dist
