// What `mnist-dist doctor` knows of a job when it judges. Who gathers it stands in gathering.hpp; the judgement, in
// findings.hpp, needs no cluster.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace mnist_dist::cli::doctor {

/// What a rank knows of itself.
struct RankFacts {
  int rank = 0;               ///< by the launcher's number
  std::vector<int> cpus;      ///< hardware threads on which it may run, by the system's numbers
  std::string arithmetic;     ///< how it rounds (nn/arithmetic.hpp)
  std::string reading_error;  ///< why it cannot read the memory of the host's first rank; "" where it can
};

/// What the first rank of a host knows of it.
struct HostFacts {
  std::string name;
  std::string vectors;                  ///< of its kernels, such as "AVX-512"
  std::string slow_blas;                ///< what is wrong with OpenBLAS's choice of kernels; "" for nothing
  std::vector<std::vector<int>> cores;  ///< the hardware threads of each core; none where the system does not tell
  std::map<std::string, std::string> variables;  ///< those of kVariables that are set, or in Open MPI's files
  bool munge_is_silent = false;                  ///< it is installed, and its daemon does not answer
  double shared_memory = -1;                     ///< bytes of /dev/shm; -1: unknown
  double shared_memory_free = -1;
  double shared_memory_needed = 0;  ///< by the ranks of the host
  double memory_needed = 0;         ///< by the same, of all kinds: the least
  double memory = 0;                ///< that it has
  std::string data_error;           ///< why the data set cannot be opened; "" where it can
  std::string content_sha256;       ///< of the data set
  double seconds_ahead = 0;  ///< by how much its clock is, at least, ahead of the first host's; 0: perhaps not at all
  bool sees_folder = true;   ///< a file that the first host writes in the run's folder
  bool sees_lock = true;     ///< that the first host has locked that file
  std::vector<RankFacts> ranks;
};

inline constexpr const char* kVariables[] = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
                                             "OMPI_MCA_btl_vader_single_copy_mechanism",
                                             "OMPI_MCA_oob_tcp_keepalive_time", "PMIX_MCA_psec"};

/// What the first rank finds in the run's folder, or where it would be made.
struct FolderFacts {
  std::string path;
  std::string error;               ///< why a file cannot be written there durably; "" where it can
  std::string run_there;           ///< why a new run cannot begin there; "" where it can
  bool has_nameless_files = true;  /// O_TMPFILE
  double free = -1;                ///< bytes; -1: unknown
  double needed = 0;               ///< bytes of a run
};

/// What a message between two hosts costs.
struct LinkFacts {
  int one = 0;  ///< their numbers in JobFacts::hosts
  int other = 0;
  double latency = 0;  ///< seconds
  double bytes_per_second = 0;

  /// Of what two hosts exchange in a step of the tutorial's network, about.
  [[nodiscard]] double seconds() const { return latency + 4.5e5 / bytes_per_second; }
};

struct JobFacts {
  int announced = 1;         ///< ranks that the launcher has started
  int ranks = 1;             ///< ranks that see each other
  bool by_mpirun = false;    ///< and not by srun, or alone
  std::string shards_error;  ///< why there cannot be so many ranks; "" where there can
  std::string missing_data;  ///< the usual data set, where none was named and it is not there
  std::vector<HostFacts> hosts;
  FolderFacts folder;
  std::vector<LinkFacts> links;  ///< of each pair of hosts
};

}  // namespace mnist_dist::cli::doctor
