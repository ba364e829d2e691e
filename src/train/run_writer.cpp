#include "run_writer.hpp"

#include <utility>

#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/train/checkpoint_store.hpp"

namespace mnist_dist::train {
namespace {

// The checkpoint first: what follows from it is written anew when a run goes on from it.
void write_record(const RunFolder& folder, const RunRecord& record) {
  if (record.checkpoint) {
    CheckpointStore(folder.checkpoints())
        .save(encode_checkpoint(*record.checkpoint), record.checkpoint->epochs_done, record.checkpoint->steps_done);
  }
  write_file_atomically(folder.metrics_csv(), metrics_csv(record.history));
  write_file_atomically(folder.metrics_jsonl(), metrics_jsonl(record.history));
  if (record.best_model) save_model(*record.best_model, folder.model());
}

}  // namespace

void RunWriter::write(RunRecord record, std::function<void()> when_written) {
  finish();
  writing_ = std::async(std::launch::async, [this, record = std::move(record), when_written = std::move(when_written)] {
    write_record(folder_, record);
    if (when_written) when_written();
  });
}

void RunWriter::finish() {
  if (writing_.valid()) writing_.get();
}

}  // namespace mnist_dist::train
