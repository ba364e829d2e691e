// What the files of this layer share: checked calls and the handle behind a Communicator.
#pragma once

#include <fmt/format.h>
#include <mpi.h>

#include <array>
#include <limits>
#include <string_view>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/error.hpp"

namespace mnist_dist::comm {

/// Throws unless `code` is MPI_SUCCESS.
inline void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  throw Error(ExitCode::rank_failed,
              fmt::format("{} failed: {}", call, std::string_view(text.data(), static_cast<std::size_t>(length))));
}

/// A count as MPI 3 takes it.
inline int to_count(std::size_t size) {
  if (size > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    throw Error(ExitCode::bug, fmt::format("a message of {} elements is more than MPI 3 can count", size));
  }
  return static_cast<int>(size);
}

struct Communicator::Handle {
  MPI_Comm communicator = MPI_COMM_NULL;

  explicit Handle(MPI_Comm owned) : communicator(owned) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  // MPI_Comm_free is collective, so a destructor must not call it: MPI_Finalize releases what is left.
  ~Handle() = default;
};

}  // namespace mnist_dist::comm
