#include <fmt/format.h>

#include "findings.hpp"
#include "mnist_dist/core/counted.hpp"

namespace mnist_dist::cli::doctor {
namespace {

/// "A on node1, but B on node2" for the first host that differs; "" where none does.
template <class ValueOf>
std::string difference(const std::vector<HostFacts>& hosts, ValueOf value_of) {
  for (const HostFacts& host : hosts) {
    if (value_of(host) == value_of(hosts.front())) continue;
    return fmt::format("{} on {}, but {} on {}", value_of(hosts.front()), hosts.front().name, value_of(host),
                       host.name);
  }
  return {};
}

}  // namespace

Findings check_shards(const JobFacts& job) {
  if (job.shards_error.empty()) return {};
  return {{true, job.shards_error}};
}

Findings check_launcher(const JobFacts& job) {
  if (job.announced <= job.ranks) return {};
  return {{true, fmt::format("the launcher announced {}, but MPI sees {}, so each would train alone: start with `srun "
                             "--mpi=pmix`, or with the mpirun of the Open MPI that mnist-dist was built with",
                             counted(job.announced, "rank"), job.ranks)}};
}

Findings check_arithmetic(const JobFacts& job) {
  const std::string rounding =
      difference(job.hosts, [](const HostFacts& host) { return host.ranks.front().arithmetic; });
  if (!rounding.empty()) {
    return {{true, fmt::format("numbers are rounded by {}, which gives other bits and is refused: choose hosts of one "
                               "kind (srun --constraint)",
                               rounding)}};
  }
  const std::string vectors = difference(job.hosts, [](const HostFacts& host) { return host.vectors; });
  if (vectors.empty()) return {};
  return {
      {false, fmt::format("the kernels use {}: the bits are the same, but all wait for the slowest; choose hosts of "
                          "one kind (srun --constraint)",
                          vectors)}};
}

Findings check_keepalive(const JobFacts& job) {
  if (!job.by_mpirun || job.hosts.size() < 2) return {};
  if (job.hosts.front().variables.contains("OMPI_MCA_oob_tcp_keepalive_time")) return {};
  return {{false,
           "mpirun notices a cut link late or never: start with `mnist-dist launch`, or export "
           "OMPI_MCA_oob_tcp_keepalive_time=2 OMPI_MCA_oob_tcp_keepalive_intvl=1 OMPI_MCA_oob_tcp_keepalive_probes=3"}};
}

Findings check_munge(const HostFacts& host) {
  if (!host.munge_is_silent || host.variables.contains("PMIX_MCA_psec")) return {};
  return {{false,
           "munge is installed and does not answer, so that each start may take 2 s more: start munged, or export "
           "PMIX_MCA_psec=native"}};
}

Findings check_blas(const HostFacts& host) {
  if (host.slow_blas.empty()) return {};
  return {{false, host.slow_blas}};
}

Findings check_threads(const HostFacts& host) {
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}) {
    const auto variable = host.variables.find(name);
    if (variable == host.variables.end() || variable->second == "1") continue;
    return {{false, fmt::format("{}={} has no effect, since a rank has one thread: start a rank for each core instead",
                                name, variable->second)}};
  }
  return {};
}

}  // namespace mnist_dist::cli::doctor
