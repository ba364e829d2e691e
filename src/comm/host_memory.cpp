#include "mnist_dist/comm/host_memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "hang_watch.hpp"
#include "mnist_dist/core/memory.hpp"
#include "mpi_handle.hpp"

namespace mnist_dist::comm {

struct HostMemory::Window {
  MPI_Win window = MPI_WIN_NULL;
};

namespace {

/// Whether this process can map what the ranks of the host will share. Open MPI 4 hangs in MPI_Win_allocate_shared when
/// one of them cannot; a rank that ends before it ends all.
void check_room(const Communicator& host, std::size_t bytes) {
  auto total = static_cast<std::int64_t>(bytes);
  host.sum(std::span(&total, 1));
  const auto size = std::max(static_cast<std::size_t>(total), std::size_t{1});
  void* trial = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (trial == MAP_FAILED) throw_out_of_memory("what the ranks of a host share", size);
  munmap(trial, size);
}

}  // namespace

HostMemory::HostMemory(const Communicator& host, std::size_t bytes) : window_(std::make_unique<Window>()) {
  const Waiting waiting(Wait::shared_memory);
  check_room(host, bytes);
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  MPI_Info info = MPI_INFO_NULL;
  check(MPI_Info_create(&info), "MPI_Info_create");
  check(MPI_Info_set(info, "alloc_shared_noncontig", "true"), "MPI_Info_set");
  void* mine = nullptr;
  // One page more, since MPI does not promise that a segment starts at a page.
  check(MPI_Win_allocate_shared(static_cast<MPI_Aint>(bytes + page), 1, info, host.handle().communicator, &mine,
                                &window_->window),
        "MPI_Win_allocate_shared");
  check(MPI_Info_free(&info), "MPI_Info_free");
  check(MPI_Win_lock_all(MPI_MODE_NOCHECK, window_->window), "MPI_Win_lock_all");

  // Addresses differ from process to process, but a page starts at the same offset in all of them, if MPI
  // mapped the window page by page; so each rank tells its offset.
  const auto misalignment = reinterpret_cast<std::uintptr_t>(mine) % page;
  const std::vector<int> offsets = host.all_gather(static_cast<int>((page - misalignment) % page));
  for (int rank = 0; rank < host.size(); ++rank) {
    MPI_Aint size = 0;
    int unit = 0;
    void* start = nullptr;
    check(MPI_Win_shared_query(window_->window, rank, &size, &unit, static_cast<void*>(&start)),
          "MPI_Win_shared_query");
    std::byte* first = static_cast<std::byte*>(start) + offsets[static_cast<std::size_t>(rank)];
    segments_.emplace_back(first, static_cast<std::size_t>(size) - page);
  }
  // Each rank touches its own pages first, so that they lie near its core.
  std::memset(segment(host.rank()).data(), 0, segment(host.rank()).size());
  host.barrier();
}

HostMemory::~HostMemory() = default;

std::span<float> HostMemory::floats(int host_rank) const {
  const std::span<std::byte> bytes = segment(host_rank);
  return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
}

}  // namespace mnist_dist::comm
