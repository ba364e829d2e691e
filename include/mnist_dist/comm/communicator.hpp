// MPI, the only door to it: the library's lifetime, and a group of ranks that exchange values.
//
// Every operation marked *Collective* must be called by all ranks of the group in the same order; it returns
// when the caller may use its buffers again. A failure of MPI throws Error (rank_failed).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "mnist_dist/core/error.hpp"

namespace mnist_dist::comm {

/// Seconds, for Environment.
inline constexpr int kHangTimeout = 60;

/// MPI's lifetime in this process. Make one, and call finalize() at the regular end.
class Environment {
 public:
  /// Collective: starts MPI. @param hang_timeout seconds after which a rank that waits for a stopped one ends the job;
  /// 0 for never  @param usage_error what is wrong with this rank's command line; "" for nothing
  /// @throws AgreedError (usage) at all ranks, where anything is wrong with any of them, or where srun started several
  /// and MPI does not know of the others
  explicit Environment(int hang_timeout, const std::string& usage_error = "");
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() = default;
  /// Collective: ends MPI, if it runs. Without it the launcher takes the process for failed.
  static void finalize();
};

/// Local: ends all ranks of the job at once with this exit code, if MPI runs; returns otherwise.
void abort_all_ranks(ExitCode exit_code) noexcept;

/// Local: this process's rank as its launcher (mpirun, srun) announces it, before MPI has started; 0 without
/// one.
[[nodiscard]] int rank_by_launcher();

/// Local: how many ranks the launcher started; 1 without one.
[[nodiscard]] int ranks_by_launcher();

/// Local: whether the launcher started ranks on several hosts, as far as it tells.
[[nodiscard]] bool several_hosts_by_launcher();

/// A group of ranks; owns its MPI communicator. Must be gone, or unused, after Environment::finalize().
class Communicator {
 public:
  /// Collective: all ranks of the job.
  static Communicator world();
  Communicator(Communicator&&) noexcept;
  Communicator& operator=(Communicator&&) noexcept;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  ~Communicator();

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }

  /// Collective: the ranks that share this rank's host and memory, in the order of their ranks here.
  [[nodiscard]] Communicator split_by_host() const;
  /// Collective: the ranks that pass the same `color`, in the order of their ranks here.
  [[nodiscard]] Communicator split(int color) const;
  /// Collective: the same ranks, numbered host by host in the order of the hosts' first ranks, so that the shards of a
  /// host's ranks lie side by side wherever the launcher put which rank. Rank 0 stays rank 0.
  /// @param host the ranks that share this rank's host, usually split_by_host()
  [[nodiscard]] Communicator numbered_by_host(const Communicator& host) const;

  /// Collective.
  void barrier() const;
  /// Collective: the element-wise sum over all ranks, at all ranks. Integers: exact in any order.
  void sum(std::span<std::int64_t> values) const;
  /// Local: the number that the launcher has given to a rank of this group.
  [[nodiscard]] int rank_of_launcher(int rank) const;
  /// Collective: everybody's value, by rank.
  [[nodiscard]] std::vector<int> all_gather(int value) const;
  /// Collective: the root's values, at all ranks.
  template <class T>
  void broadcast(std::span<T> values, int root = 0) const {
    static_assert(std::is_trivially_copyable_v<T>);
    broadcast_bytes(std::as_writable_bytes(values), root);
  }
  /// Collective: the root's text, at all ranks.
  [[nodiscard]] std::string broadcast(std::string text, int root = 0) const;
  /// Collective: the parts of all ranks, one after the other by rank, at all ranks. The parts may differ in
  /// size; `all` has room for exactly their sum.
  template <class T>
  void all_gather_parts(std::span<const T> part, std::span<T> all) const {
    static_assert(std::is_trivially_copyable_v<T>);
    gather_bytes(std::as_bytes(part), std::as_writable_bytes(all), true);
  }
  /// Collective: the same at rank 0 alone; `all` is empty elsewhere.
  template <class T>
  void gather_parts(std::span<const T> part, std::span<T> all) const {
    static_assert(std::is_trivially_copyable_v<T>);
    gather_bytes(std::as_bytes(part), std::as_writable_bytes(all), false);
  }

  struct Handle;
  /// For the other files of this layer.
  [[nodiscard]] const Handle& handle() const { return *handle_; }

 private:
  explicit Communicator(std::unique_ptr<Handle> handle);
  void broadcast_bytes(std::span<std::byte> bytes, int root) const;
  void gather_bytes(std::span<const std::byte> part, std::span<std::byte> all, bool at_all_ranks) const;

  std::unique_ptr<Handle> handle_;
  int rank_ = 0;
  int size_ = 1;
};

}  // namespace mnist_dist::comm
