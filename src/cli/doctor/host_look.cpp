#include <sched.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <set>
#include <span>
#include <sstream>
#include <system_error>

#include "gathering.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/memory.hpp"
#include "mnist_dist/nn/arithmetic.hpp"

namespace mnist_dist::cli::doctor {
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

std::vector<std::vector<int>> cores_of_host() {
  std::set<std::vector<int>> cores;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/devices/system/cpu", ignored)) {
    std::ifstream file(entry.path() / "topology" / "thread_siblings_list");
    std::string list;
    if (std::getline(file, list)) cores.insert(numbers_in(list));
  }
  return {cores.begin(), cores.end()};
}

bool munge_is_silent() {
  std::error_code ignored;
  if (!std::filesystem::exists("/usr/sbin/munged", ignored)) return false;
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, "/run/munge/munge.socket.2");
  const bool answers = connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(descriptor);
  return !answers;
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

HostFacts look_at_host() {
  HostFacts facts;
  facts.name = printable(host_name());
  facts.vectors = nn::kernel_vectors();
  facts.cores = cores_of_host();
  for (const char* name : kVariables) {
    if (const char* value = std::getenv(name)) facts.variables[name] = printable(value);
  }
  facts.munge_is_silent = munge_is_silent();
  facts.memory = physical_memory();
  std::error_code unknown;
  const std::filesystem::space_info space = std::filesystem::space("/dev/shm", unknown);
  if (!unknown) {
    facts.shared_memory = static_cast<double>(space.capacity);
    facts.shared_memory_free = static_cast<double>(space.available);
  }
  return facts;
}

std::string try_reading(const comm::Communicator& host) {
  struct Place {
    std::int64_t process;
    std::uint64_t address;
  };
  static const std::uint64_t word = 0x6d6e6973742d6d70;
  Place place{getpid(), reinterpret_cast<std::uint64_t>(&word)};
  host.broadcast(std::span(&place, 1));
  std::string error;
  if (host.rank() != 0) {
    std::uint64_t read = 0;
    const iovec here{&read, sizeof read};
    // Another process's address. NOLINTNEXTLINE(performance-no-int-to-ptr)
    const iovec there{reinterpret_cast<void*>(place.address), sizeof read};
    const ssize_t count = process_vm_readv(static_cast<pid_t>(place.process), &here, 1, &there, 1, 0);
    if (count < 0) error = std::generic_category().message(errno);
    if (count >= 0 && read != word) error = "it is another process";
  }
  host.barrier();  // the first rank is there until all have read
  return error;
}

}  // namespace mnist_dist::cli::doctor
