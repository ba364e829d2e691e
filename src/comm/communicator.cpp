#include "mnist_dist/comm/communicator.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <initializer_list>
#include <numeric>
#include <optional>

#include "hang_watch.hpp"
#include "mnist_dist/comm/agreement.hpp"
#include "mpi_handle.hpp"

namespace mnist_dist::comm {
namespace {

/// The number that the first of these variables that is set has.
std::optional<int> from_environment(std::initializer_list<const char*> variables) {
  for (const char* variable : variables) {
    if (const char* value = std::getenv(variable)) return std::atoi(value);
  }
  return std::nullopt;
}

/// Several tasks of srun that are each alone in their MPI would all do the same work, and write the same files. What
/// mpirun started is another matter: it has the variables of the step in which mpirun runs.
/// @throws Error (usage)
void check_joined(int ranks) {
  const int tasks = from_environment({"SLURM_STEP_NUM_TASKS"}).value_or(1);
  if (ranks > 1 || tasks < 2 || from_environment({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"})) return;
  throw Error(ExitCode::usage,
              fmt::format("srun started {} tasks, and each of them is alone in its MPI: add --mpi=pmix to srun "
                          "(`srun --mpi=list` tells what this Slurm has), or start the ranks with mpirun",
                          tasks));
}

bool mpi_runs() noexcept {
  int started = 0;
  int ended = 0;
  MPI_Initialized(&started);
  MPI_Finalized(&ended);
  return started != 0 && ended == 0;
}

}  // namespace

Environment::Environment(int hang_timeout, const std::string& usage_error) {
  start_hang_watch(hang_timeout);
  int provided = 0;
  {
    const Waiting waiting(Wait::start);
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  }
  if (provided < MPI_THREAD_FUNNELED) throw Error(ExitCode::rank_failed, "this MPI does not support threads");
  check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  const Communicator world = Communicator::world();
  share_signs(world);
  run_and_agree(world, [&] {
    check_joined(world.size());
    if (!usage_error.empty()) throw Error(ExitCode::usage, usage_error);
  });
}

void Environment::finalize() {
  if (!mpi_runs()) return;
  {  // as long as a rank that does not come can be named
    const Waiting waiting(Wait::end);
    check(MPI_Barrier(MPI_COMM_WORLD), "MPI_Barrier");
  }
  unshare_signs();
  const Waiting waiting(Wait::end);
  check(MPI_Finalize(), "MPI_Finalize");
}

void abort_all_ranks(ExitCode exit_code) noexcept {
  if (mpi_runs()) MPI_Abort(MPI_COMM_WORLD, static_cast<int>(exit_code));
}

int rank_by_launcher() {
  // A process that is alone in its MPI gets variables of its own from it.
  static const int rank =
      from_environment({"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"}).value_or(0);
  return rank;
}

int ranks_by_launcher() {
  return from_environment({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_NTASKS"}).value_or(1);
}

bool several_hosts_by_launcher() {
  if (const auto here = from_environment({"OMPI_COMM_WORLD_LOCAL_SIZE"})) return *here < ranks_by_launcher();
  return from_environment({"SLURM_STEP_NUM_NODES"}).value_or(1) > 1;
}

Communicator Communicator::world() {
  const Waiting waiting(Wait::start);
  MPI_Comm copy = MPI_COMM_NULL;
  check(MPI_Comm_dup(MPI_COMM_WORLD, &copy), "MPI_Comm_dup");
  return Communicator(std::make_unique<Handle>(copy));
}

Communicator::Communicator(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {
  check(MPI_Comm_set_errhandler(handle_->communicator, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_rank(handle_->communicator, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(handle_->communicator, &size_), "MPI_Comm_size");
}

Communicator::Communicator(Communicator&&) noexcept = default;
Communicator& Communicator::operator=(Communicator&&) noexcept = default;
Communicator::~Communicator() = default;

Communicator Communicator::split_by_host() const {
  const Waiting waiting(Wait::start);
  MPI_Comm part = MPI_COMM_NULL;
  check(MPI_Comm_split_type(handle_->communicator, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &part),
        "MPI_Comm_split_type");
  return Communicator(std::make_unique<Handle>(part));
}

Communicator Communicator::split(int color) const {
  const Waiting waiting(Wait::start);
  MPI_Comm part = MPI_COMM_NULL;
  check(MPI_Comm_split(handle_->communicator, color, rank_, &part), "MPI_Comm_split");
  return Communicator(std::make_unique<Handle>(part));
}

Communicator Communicator::numbered_by_host(const Communicator& host) const {
  const Waiting waiting(Wait::start);
  int first_rank_of_host = rank_;
  host.broadcast(std::span(&first_rank_of_host, 1));
  MPI_Comm ordered = MPI_COMM_NULL;
  // Ranks of the same key stay in their order.
  check(MPI_Comm_split(handle_->communicator, 0, first_rank_of_host, &ordered), "MPI_Comm_split");
  return Communicator(std::make_unique<Handle>(ordered));
}

int Communicator::rank_of_launcher(int rank) const {
  MPI_Group mine = MPI_GROUP_NULL;
  MPI_Group all = MPI_GROUP_NULL;
  check(MPI_Comm_group(handle_->communicator, &mine), "MPI_Comm_group");
  check(MPI_Comm_group(MPI_COMM_WORLD, &all), "MPI_Comm_group");
  int translated = MPI_UNDEFINED;
  const int code = MPI_Group_translate_ranks(mine, 1, &rank, all, &translated);
  MPI_Group_free(&mine);
  MPI_Group_free(&all);
  check(code, "MPI_Group_translate_ranks");
  return translated;
}

void Communicator::barrier() const {
  const Waiting waiting(Wait::barrier);
  check(MPI_Barrier(handle_->communicator), "MPI_Barrier");
}

void Communicator::sum(std::span<std::int64_t> values) const {
  const Waiting waiting(Wait::sum);
  check(
      MPI_Allreduce(MPI_IN_PLACE, values.data(), to_count(values.size()), MPI_INT64_T, MPI_SUM, handle_->communicator),
      "MPI_Allreduce");
}

std::vector<int> Communicator::all_gather(int value) const {
  const Waiting waiting(Wait::gathering);
  std::vector<int> values(static_cast<std::size_t>(size_));
  check(MPI_Allgather(&value, 1, MPI_INT, values.data(), 1, MPI_INT, handle_->communicator), "MPI_Allgather");
  return values;
}

std::string Communicator::broadcast(std::string text, int root) const {
  auto size = static_cast<std::int64_t>(text.size());
  broadcast(std::span(&size, 1), root);
  text.resize(static_cast<std::size_t>(size));
  broadcast(std::span(text.data(), text.size()), root);
  return text;
}

void Communicator::broadcast_bytes(std::span<std::byte> bytes, int root) const {
  const Waiting waiting(Wait::broadcast);
  check(MPI_Bcast(bytes.data(), to_count(bytes.size()), MPI_BYTE, root, handle_->communicator), "MPI_Bcast");
}

void Communicator::gather_bytes(std::span<const std::byte> part, std::span<std::byte> all, bool at_all_ranks) const {
  const Waiting waiting(Wait::gathering);
  const std::vector<int> counts = all_gather(to_count(part.size()));
  std::vector<int> starts(counts.size());
  std::exclusive_scan(counts.begin(), counts.end(), starts.begin(), 0);
  const bool receives = at_all_ranks || rank_ == 0;
  if (receives && all.size() != static_cast<std::size_t>(starts.back()) + static_cast<std::size_t>(counts.back())) {
    throw Error(ExitCode::bug, "gathered parts do not fill their buffer");
  }
  if (at_all_ranks) {
    check(MPI_Allgatherv(part.data(), counts[static_cast<std::size_t>(rank_)], MPI_BYTE, all.data(), counts.data(),
                         starts.data(), MPI_BYTE, handle_->communicator),
          "MPI_Allgatherv");
  } else {
    check(MPI_Gatherv(part.data(), counts[static_cast<std::size_t>(rank_)], MPI_BYTE, all.data(), counts.data(),
                      starts.data(), MPI_BYTE, 0, handle_->communicator),
          "MPI_Gatherv");
  }
}

}  // namespace mnist_dist::comm
