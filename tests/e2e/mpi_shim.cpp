// Stands between a program (by LD_PRELOAD) and MPI, and lets one call fail on one rank. Environment:
//
//   MPI_FAULT_RANK=R   the rank, by the number that mpirun gave it
//   MPI_FAULT_CALL=NAME and
//   MPI_FAULT_AT=N     the N-th of its calls of this function, one of those below, is not made, and returns
//                      MPI_ERR_OTHER
//   MPI_LOG=FILE       the rank writes a line into it for each of these calls: its name
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

long number_in(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? -1 : std::atol(text);
}

/// Counts the call. All calls that communicate are made by one thread.
bool fails(std::string_view name) {
  static const bool concerned = number_in("MPI_FAULT_RANK") == number_in("OMPI_COMM_WORLD_RANK");
  static const long wanted = number_in("MPI_FAULT_AT");
  static const char* const wanted_name = std::getenv("MPI_FAULT_CALL");
  static long calls = 0;
  if (!concerned) return false;
  if (const char* path = std::getenv("MPI_LOG")) {
    std::FILE* file = std::fopen(path, "a");
    if (file == nullptr) std::abort();
    std::fprintf(file, "%s\n", name.data());
    std::fclose(file);
  }
  return wanted_name != nullptr && name == wanted_name && ++calls == wanted;
}

}  // namespace

// NAME(PARAMETERS) fails, or is what MPI's second name for the same function makes of the ARGUMENTS.
#define MNIST_DIST_SHIM(NAME, PARAMETERS, ARGUMENTS)                    \
  extern "C" int MPI_##NAME PARAMETERS {                                \
    return fails("MPI_" #NAME) ? MPI_ERR_OTHER : PMPI_##NAME ARGUMENTS; \
  }

MNIST_DIST_SHIM(Barrier, (MPI_Comm ranks), (ranks))
MNIST_DIST_SHIM(Bcast, (void* data, int count, MPI_Datatype type, int root, MPI_Comm ranks),
                (data, count, type, root, ranks))
MNIST_DIST_SHIM(Allreduce, (const void* in, void* out, int count, MPI_Datatype type, MPI_Op operation, MPI_Comm ranks),
                (in, out, count, type, operation, ranks))
MNIST_DIST_SHIM(Iallreduce,
                (const void* in, void* out, int count, MPI_Datatype type, MPI_Op operation, MPI_Comm ranks,
                 MPI_Request* request),
                (in, out, count, type, operation, ranks, request))
MNIST_DIST_SHIM(Allgather,
                (const void* in, int count, MPI_Datatype type, void* out, int out_count, MPI_Datatype out_type,
                 MPI_Comm ranks),
                (in, count, type, out, out_count, out_type, ranks))
MNIST_DIST_SHIM(Allgatherv,
                (const void* in, int count, MPI_Datatype type, void* out, const int* counts, const int* places,
                 MPI_Datatype out_type, MPI_Comm ranks),
                (in, count, type, out, counts, places, out_type, ranks))
MNIST_DIST_SHIM(Gatherv,
                (const void* in, int count, MPI_Datatype type, void* out, const int* counts, const int* places,
                 MPI_Datatype out_type, int root, MPI_Comm ranks),
                (in, count, type, out, counts, places, out_type, root, ranks))
MNIST_DIST_SHIM(Comm_dup, (MPI_Comm ranks, MPI_Comm* copy), (ranks, copy))
MNIST_DIST_SHIM(Comm_split, (MPI_Comm ranks, int color, int key, MPI_Comm* part), (ranks, color, key, part))
MNIST_DIST_SHIM(Comm_split_type, (MPI_Comm ranks, int kind, int key, MPI_Info info, MPI_Comm* part),
                (ranks, kind, key, info, part))
MNIST_DIST_SHIM(Win_allocate_shared,
                (MPI_Aint size, int unit, MPI_Info info, MPI_Comm ranks, void* memory, MPI_Win* window),
                (size, unit, info, ranks, memory, window))
MNIST_DIST_SHIM(Send, (const void* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm ranks),
                (data, count, type, to, tag, ranks))
MNIST_DIST_SHIM(Recv, (void* data, int count, MPI_Datatype type, int from, int tag, MPI_Comm ranks, MPI_Status* status),
                (data, count, type, from, tag, ranks, status))
MNIST_DIST_SHIM(Sendrecv,
                (const void* sent, int count, MPI_Datatype type, int to, int tag, void* received, int received_count,
                 MPI_Datatype received_type, int from, int received_tag, MPI_Comm ranks, MPI_Status* status),
                (sent, count, type, to, tag, received, received_count, received_type, from, received_tag, ranks,
                 status))
MNIST_DIST_SHIM(Isend,
                (const void* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm ranks, MPI_Request* request),
                (data, count, type, to, tag, ranks, request))
MNIST_DIST_SHIM(Irecv,
                (void* data, int count, MPI_Datatype type, int from, int tag, MPI_Comm ranks, MPI_Request* request),
                (data, count, type, from, tag, ranks, request))
MNIST_DIST_SHIM(Wait, (MPI_Request * request, MPI_Status* status), (request, status))
MNIST_DIST_SHIM(Waitall, (int count, MPI_Request* requests, MPI_Status* statuses), (count, requests, statuses))
MNIST_DIST_SHIM(Testall, (int count, MPI_Request* requests, int* done, MPI_Status* statuses),
                (count, requests, done, statuses))
MNIST_DIST_SHIM(Finalize, (), ())
