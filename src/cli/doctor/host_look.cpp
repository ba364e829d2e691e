#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

#include "gathering.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/memory.hpp"
#include "mnist_dist/core/processors.hpp"
#include "mnist_dist/nn/arithmetic.hpp"
#include "munge.hpp"

namespace mnist_dist::cli::doctor {
namespace {

/// What Open MPI's files of settings say of one that no environment variable has; "" for nothing.
std::string mca_parameter(const std::string& name) {
  const char* home = std::getenv("HOME");
  for (const std::filesystem::path& path :
       {std::filesystem::path(home == nullptr ? "" : home) / ".openmpi/mca-params.conf",
        std::filesystem::path("/etc/openmpi/openmpi-mca-params.conf")}) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      std::ranges::replace(line, '=', ' ');
      std::istringstream words(line);
      std::string found;
      std::string value;
      if (words >> found >> value && found == name) return value;
    }
  }
  return {};
}

/// @return nothing where neither the environment nor Open MPI's files have it
std::optional<std::string> variable(const std::string& name) {
  constexpr std::string_view kOpenMpi = "OMPI_MCA_";
  if (const char* value = std::getenv(name.c_str())) return value;
  if (!name.starts_with(kOpenMpi)) return std::nullopt;
  const std::string value = mca_parameter(name.substr(kOpenMpi.size()));
  return value.empty() ? std::nullopt : std::optional(value);
}

}  // namespace

HostFacts look_at_host() {
  HostFacts facts;
  facts.name = printable(host_name());
  facts.vectors = nn::kernel_vectors();
  facts.cores = cores_of_machine();
  for (const char* name : kVariables) {
    if (const std::optional<std::string> value = variable(name)) facts.variables[name] = printable(*value);
  }
  std::error_code unknown;
  facts.munge_is_silent = std::filesystem::exists("/usr/sbin/munged", unknown) && !munge_answers();
  facts.memory = physical_memory();
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
