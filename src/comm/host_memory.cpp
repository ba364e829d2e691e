#include "host_memory.hpp"

#include <unistd.h>

#include <cstdint>

#include "mpi_handle.hpp"

namespace mnist_dist::comm {

HostMemory::HostMemory(const Communicator& host, std::size_t bytes) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  MPI_Info info = MPI_INFO_NULL;
  check(MPI_Info_create(&info), "MPI_Info_create");
  check(MPI_Info_set(info, "alloc_shared_noncontig", "true"), "MPI_Info_set");
  void* mine = nullptr;
  // One page more, since MPI does not promise that a segment starts at a page.
  check(MPI_Win_allocate_shared(static_cast<MPI_Aint>(bytes + page), 1, info, host.handle().communicator, &mine,
                                &window_),
        "MPI_Win_allocate_shared");
  check(MPI_Info_free(&info), "MPI_Info_free");
  check(MPI_Win_lock_all(MPI_MODE_NOCHECK, window_), "MPI_Win_lock_all");

  // Addresses differ from process to process, but a page starts at the same offset in all of them, if MPI
  // mapped the window page by page; so each rank tells its offset.
  const auto misalignment = reinterpret_cast<std::uintptr_t>(mine) % page;
  const std::vector<int> offsets = host.all_gather(static_cast<int>((page - misalignment) % page));
  for (int rank = 0; rank < host.size(); ++rank) {
    MPI_Aint size = 0;
    int unit = 0;
    void* start = nullptr;
    check(MPI_Win_shared_query(window_, rank, &size, &unit, static_cast<void*>(&start)), "MPI_Win_shared_query");
    segments_.push_back(static_cast<std::byte*>(start) + offsets[static_cast<std::size_t>(rank)]);
  }
}

}  // namespace mnist_dist::comm
