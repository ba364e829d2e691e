#include <fmt/format.h>

#include "findings.hpp"
#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/memory.hpp"

namespace mnist_dist::cli::doctor {

Findings check_memory(const HostFacts& host) {
  if (host.memory_needed <= host.memory) return {};
  return {
      {true, fmt::format("at least {} of memory for {}, and there is {}: use more hosts, or smaller --hidden and "
                         "--batch-size",
                         as_memory(host.memory_needed), counted(host.ranks.size(), "rank"), as_memory(host.memory))}};
}

Findings check_shared_memory(const HostFacts& host) {
  constexpr double kOfContainers = 64 << 20;  // that nobody has given more
  if (host.shared_memory < 0) return {};
  const char* const way_out =
      "give a container more with --shm-size=1g or --ipc=host, a machine with `mount -o remount,size=50% /dev/shm`";
  const std::string ranks = counted(host.ranks.size(), "rank");
  if (host.shared_memory_free < host.shared_memory_needed) {
    return {{true, fmt::format("/dev/shm has {} free of {}, and {} may take {} there: {}, or remove old files there",
                               as_memory(host.shared_memory_free), as_memory(host.shared_memory), ranks,
                               as_memory(host.shared_memory_needed), way_out)}};
  }
  if (host.shared_memory > kOfContainers) return {};
  return {{false, fmt::format("/dev/shm has {}, which is enough for these {}, but not for many more: {}",
                              as_memory(host.shared_memory), ranks, way_out)}};
}

Findings check_reading(const HostFacts& host) {
  const auto chosen = host.variables.find("OMPI_MCA_btl_vader_single_copy_mechanism");
  if (chosen != host.variables.end() && chosen->second == "none") return {};
  for (const RankFacts& rank : host.ranks) {
    if (rank.reading_error.empty()) continue;
    return {{true, fmt::format("rank {} may not read another rank's memory (process_vm_readv: {}), which Open MPI may "
                               "want for large messages: export OMPI_MCA_btl_vader_single_copy_mechanism=none, or "
                               "allow it (sysctl kernel.yama.ptrace_scope=0; a container: --cap-add=SYS_PTRACE)",
                               rank.rank, rank.reading_error)}};
  }
  return {};
}

}  // namespace mnist_dist::cli::doctor
