// Memory that the ranks of one host share: an MPI-3 shared window with one segment per rank.
#pragma once

#include <mpi.h>

#include <cstddef>
#include <vector>

#include "mnist_dist/comm/communicator.hpp"

namespace mnist_dist::comm {

/// Owns the window. Every rank's segment lies in pages of its own, near its core, and starts at a page.
class HostMemory {
 public:
  /// Collective over the ranks of one host. @param bytes the size of this rank's segment
  HostMemory(const Communicator& host, std::size_t bytes);
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;
  // MPI_Win_free is collective, so a destructor must not call it: MPI_Finalize releases the window.
  ~HostMemory() = default;

  /// Where the segment of a rank of the host begins, in this process's addresses.
  [[nodiscard]] std::byte* segment(int host_rank) const { return segments_[static_cast<std::size_t>(host_rank)]; }

 private:
  MPI_Win window_ = MPI_WIN_NULL;
  std::vector<std::byte*> segments_;
};

}  // namespace mnist_dist::comm
