// A run from its first epoch, or its newest checkpoint, to its end: epochs, checkpoints, metrics, the best model.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/run/checkpoint.hpp"
#include "mnist_dist/run/model.hpp"
#include "mnist_dist/run/run_folder.hpp"
#include "mnist_dist/train/epoch_metrics.hpp"
#include "mnist_dist/train/settings.hpp"
#include "mnist_dist/train/trainer.hpp"
#include "mnist_dist/train/training_data.hpp"

namespace mnist_dist::run {

class RunWriter;

class TrainingRun {
 public:
  /// How a run ended.
  struct End {
    bool finished = false;  ///< false: stopped on request, with a checkpoint saved
    std::string reason;     ///< for people
  };

  /// Collective. @param host the ranks that share this rank's memory  @param folder at rank 0; null at the others
  /// @param checkpoint what to go on from, the same at all ranks; nothing for a fresh start
  /// @param model what a fresh start begins with, the same at all ranks; null for random parameters. A checkpoint of it
  /// is saved at once, so that nobody needs the model again.
  /// All arguments outlive the run. From here on a thread of rank 0 writes files: until run() has returned, or the run
  /// is gone, nothing else uses HDF5. @throws Error, AgreedError
  TrainingRun(const comm::Communicator& ranks, const comm::Communicator& host, const train::Settings& settings,
              const data::DatasetFile& file, const train::TrainingData& data, const RunFolder* folder,
              const std::optional<Checkpoint>& checkpoint, const Model* model = nullptr);
  ~TrainingRun();
  TrainingRun(const TrainingRun&) = delete;
  TrainingRun& operator=(const TrainingRun&) = delete;

  /// Collective: trains until a stop condition holds or a stop is requested (core/stop_request.hpp).
  /// @param on_epoch called at rank 0 for each epoch, by another thread, when the epoch's files are on the disk
  /// @param on_step called after every step, at once, where it is given; must not communicate
  /// @throws Error, AgreedError
  End run(const std::function<void(const train::EpochMetrics&, bool is_best)>& on_epoch,
          const std::function<void(const train::Trainer&)>& on_step = {});

  [[nodiscard]] const std::vector<train::EpochMetrics>& history() const { return history_; }
  /// What hosts send each other.
  [[nodiscard]] const train::ExchangeChoice& exchange() const { return trainer_.exchange(); }

 private:
  using OnEpoch = std::function<void(const train::EpochMetrics&, bool is_best)>;

  void begin_at(const Model& model);
  void finish_epoch(const OnEpoch& on_epoch);
  /// At rank 0. @param parameters of the best epoch, which is in the history already
  void set_best_model(const std::vector<float>& parameters);
  /// Collective. What there is to save, complete at rank 0; nothing if it is saved already.
  [[nodiscard]] std::optional<Checkpoint> checkpoint_if_new();
  void save_checkpoint();
  void finish_writing();
  void at_rank_0(const std::function<void()>& work);

  const comm::Communicator& ranks_;
  const train::Settings& settings_;
  const data::DatasetFile& file_;
  const RunFolder* folder_;
  train::Trainer trainer_;
  comm::StopAgreement stop_agreement_;
  std::vector<train::EpochMetrics> history_;
  Model best_model_;  // at rank 0; without parameters before the first epoch is done
  std::int64_t checkpointed_step_ = -1;
  std::unique_ptr<RunWriter> writer_;  // at rank 0
};

}  // namespace mnist_dist::run
