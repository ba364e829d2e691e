#include "run_writer.hpp"

#include <fmt/format.h>

#include <chrono>
#include <system_error>
#include <utility>

#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/run/checkpoint_store.hpp"
#include "mnist_dist/run/metrics_files.hpp"

namespace mnist_dist::run {
namespace {

// The checkpoint first: what follows from it is written anew when a run goes on from it.
void write_record(const RunFolder& folder, const RunProgress& record) {
  folder.check_still_there();
  if (record.checkpoint) {
    CheckpointStore(folder.checkpoints())
        .save(encode_checkpoint(*record.checkpoint), record.checkpoint->state.epochs_done,
              record.checkpoint->state.steps_done);
  }
  if (!record.history.empty()) {
    write_file_atomically(folder.metrics_csv(), metrics_csv(record.history));
    write_file_atomically(folder.metrics_jsonl(), metrics_jsonl(record.history));
  }
  if (record.best_model) save_model(*record.best_model, folder.model());
  folder.check_still_there();  // or else they may lie in another one
}

}  // namespace

void RunWriter::write(RunProgress record, std::function<void()> when_written) {
  finish();
  written_ = false;
  auto work = [this, record = std::move(record), when_written = std::move(when_written)]() mutable {
    write_record(folder_, record);
    if (record.checkpoint) written_checkpoint_ = std::move(*record.checkpoint);
    record = {};  // its model is not kept until the next
    written_ = true;
    if (when_written) when_written();
  };
  try {
    writing_ = std::async(std::launch::async, std::move(work));
  } catch (const std::system_error& error) {
    throw Error(ExitCode::rank_failed,
                fmt::format("no thread to write the run's files with ({}); allow more (`ulimit -u`), then go on with "
                            "--resume",
                            error.what()));
  }
}

bool RunWriter::has_failed() const {
  return writing_.valid() && writing_.wait_for(std::chrono::seconds(0)) == std::future_status::ready && !written_;
}

void RunWriter::finish() {
  if (writing_.valid()) writing_.get();
}

}  // namespace mnist_dist::run
