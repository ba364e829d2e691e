// A run from its first epoch, or its newest checkpoint, to its end: epochs, checkpoints, metrics, the best model.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/train/checkpoint.hpp"
#include "mnist_dist/train/metrics.hpp"
#include "mnist_dist/train/run_folder.hpp"
#include "mnist_dist/train/settings.hpp"
#include "mnist_dist/train/trainer.hpp"
#include "mnist_dist/train/training_data.hpp"

namespace mnist_dist::train {

/// The network that the settings and the data set give.
[[nodiscard]] nn::Architecture architecture_for(const Settings& settings, const data::DatasetFile& file);

/// Collective: reads this rank's rows. @throws AgreedError at all ranks when one of them cannot
[[nodiscard]] TrainingData read_training_data(const comm::Communicator& ranks, const Settings& settings,
                                              const data::DatasetFile& file);

class TrainingRun {
 public:
  /// How a run ended.
  struct End {
    bool finished = false;  ///< false: stopped on request, with a checkpoint saved
    std::string reason;     ///< for people
  };

  /// Collective. @param host the ranks that share this rank's memory  @param folder at rank 0; null at the others
  /// @param checkpoint what to go on from, the same at all ranks; nothing for a fresh start
  /// All arguments outlive the run. @throws Error, AgreedError
  TrainingRun(const comm::Communicator& ranks, const comm::Communicator& host, const Settings& settings,
              const data::DatasetFile& file, const TrainingData& data, const RunFolder* folder,
              const std::optional<Checkpoint>& checkpoint);

  /// Collective: trains until a stop condition holds or a stop is requested (core/stop_request.hpp).
  /// @param on_epoch called at all ranks after each epoch, when its files are written
  End run(const std::function<void(const EpochMetrics&, bool is_best)>& on_epoch);

  [[nodiscard]] const std::vector<EpochMetrics>& history() const { return history_; }

 private:
  bool finish_epoch();
  void save_checkpoint();
  void write_metrics();
  void write_best_model();
  void at_rank_0(const std::function<void()>& work);

  const comm::Communicator& ranks_;
  const Settings& settings_;
  const data::DatasetFile& file_;
  const RunFolder* folder_;
  Trainer trainer_;
  comm::StopAgreement stop_agreement_;
  std::vector<EpochMetrics> history_;
  std::vector<float> best_parameters_;  // at rank 0
  std::int64_t checkpointed_step_ = -1;
};

}  // namespace mnist_dist::train
