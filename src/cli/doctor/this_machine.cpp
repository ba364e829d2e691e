#include "this_machine.hpp"

#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <system_error>

namespace mnist_dist::cli {
namespace {

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
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &usable)) cpus.push_back(cpu);
  }
  return cpus;
}

std::vector<std::vector<int>> cores_of_machine() {
  std::set<std::vector<int>> cores;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/devices/system/cpu", ignored)) {
    std::ifstream file(entry.path() / "topology" / "thread_siblings_list");
    std::string list;
    if (std::getline(file, list)) cores.insert(numbers_in(list));
  }
  return {cores.begin(), cores.end()};
}

bool munge_answers() {
  // It must not wait for a daemon that is busy.
  const int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un munge{};
  munge.sun_family = AF_UNIX;
  std::strcpy(munge.sun_path, "/run/munge/munge.socket.2");
  const bool answers = connect(connection, reinterpret_cast<const sockaddr*>(&munge), sizeof munge) == 0;
  if (connection >= 0) close(connection);
  return answers;
}

}  // namespace mnist_dist::cli
