// How mpirun (Open MPI) is called: with what it needs on this machine and between these hosts. Local.
#pragma once

#include <string>
#include <vector>

namespace mnist_dist::cli {

struct HostSlots {
  std::string name;
  int slots = 0;  ///< the ranks that it takes

  bool operator==(const HostSlots&) const = default;
};

/// @param text hosts as mpirun has them, such as "a,b:4"; "" for none. Hosts without a number share evenly the ranks
/// that the others leave.  @throws Error (usage), also where they have fewer slots than `ranks`
[[nodiscard]] std::vector<HostSlots> parse_hosts(const std::string& text, int ranks);

/// The cores of this machine that this process may use. A core with two hardware threads is one.
struct Cores {
  int number = 0;
  bool all = true;  ///< the machine has no other ones
};

[[nodiscard]] Cores usable_cores();

/// The words of mpirun before the program. What an environment variable of Open MPI's says already is left away.
/// @param hosts none for this machine, or for what Slurm has allocated  @param cores of this machine
[[nodiscard]] std::vector<std::string> mpirun_words(int ranks, const std::vector<HostSlots>& hosts, const Cores& cores);

/// Without it mpirun waits two seconds for a munge that is installed and not running.
void do_without_silent_munge();

}  // namespace mnist_dist::cli
