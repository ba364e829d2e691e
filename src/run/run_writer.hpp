// Writes what a run leaves on the disk, while the run goes on. Local: rank 0 alone has one.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <optional>
#include <utility>
#include <vector>

#include "mnist_dist/run/checkpoint.hpp"
#include "mnist_dist/run/model.hpp"
#include "mnist_dist/run/run_folder.hpp"
#include "mnist_dist/train/epoch_metrics.hpp"

namespace mnist_dist::run {

/// What there is to write at one instant; what is missing stays as it is on the disk.
struct RunProgress {
  std::optional<Checkpoint> checkpoint;
  std::vector<train::EpochMetrics> history;
  std::optional<Model> best_model;
};

/// A thread of its own writes; it calls no MPI, and nothing else may use HDF5 until finish() has returned. The
/// destructor waits for the thread.
class RunWriter {
 public:
  /// @param folder outlives the writer
  explicit RunWriter(const RunFolder& folder) : folder_(folder) {}

  /// Returns as soon as the record before is written, which is where that one's errors come out.
  /// @param when_written called by the thread, once the record is on the disk  @throws Error
  void write(RunProgress record, std::function<void()> when_written = {});

  /// A checkpoint that was written before, whose memory can be used again; an empty one where there is none. To be
  /// called after finish().
  [[nodiscard]] Checkpoint take_back() { return std::exchange(written_checkpoint_, {}); }

  /// Whether the record could not be written; write() and finish() say why. Does not wait.
  [[nodiscard]] bool has_failed() const;

  /// Returns when all is written. @throws Error
  void finish();

 private:
  const RunFolder& folder_;
  std::atomic<bool> written_ = false;  // the record that writing_ is of
  Checkpoint written_checkpoint_;
  std::future<void> writing_;
};

}  // namespace mnist_dist::run
