// Memory that the ranks of one host share: an MPI-3 shared window with one segment per rank.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "mnist_dist/comm/communicator.hpp"

namespace mnist_dist::comm {

/// Owns the window. Every rank's segment lies in pages of its own, near its core, starts at a page, and is zero at
/// first. Who may touch what, and when, is for its users to say: nothing here synchronises.
class HostMemory {
 public:
  /// Collective over the ranks of one host. @param bytes the size of this rank's segment
  /// @throws Error (rank_failed) at a rank that cannot map the segments of all: it must end all ranks
  HostMemory(const Communicator& host, std::size_t bytes);
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;
  // MPI_Win_free is collective, so a destructor must not call it: MPI_Finalize releases the window.
  ~HostMemory();

  /// Local: the segment of a rank of the host, in this process's addresses.
  [[nodiscard]] std::span<std::byte> segment(int host_rank) const {
    return segments_[static_cast<std::size_t>(host_rank)];
  }
  [[nodiscard]] std::span<float> floats(int host_rank) const;

 private:
  struct Window;
  std::unique_ptr<Window> window_;
  std::vector<std::span<std::byte>> segments_;
};

}  // namespace mnist_dist::comm
