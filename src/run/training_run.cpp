#include "mnist_dist/run/training_run.hpp"

#include <fmt/format.h>

#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/build_info.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/core/stop_request.hpp"
#include "mnist_dist/nn/arithmetic.hpp"
#include "mnist_dist/run/fine_tuning.hpp"
#include "mnist_dist/run/free_space.hpp"
#include "mnist_dist/run/model.hpp"
#include "mnist_dist/train/stop_conditions.hpp"
#include "run_writer.hpp"

namespace mnist_dist::run {
namespace {

void check_checkpoint(const Checkpoint& checkpoint, const train::Settings& settings, const data::DatasetFile& file) {
  const std::string name = printable(file.path().string());
  if (checkpoint.dataset_sha256 != file.content_sha256()) {
    throw comm::AgreedError(
        ExitCode::bad_data,
        fmt::format("{} is not the data set of this run: its content_sha256 is {:.12}..., the run's "
                    "is {:.12}...; give the right file after --resume RUN",
                    name, file.content_sha256(), checkpoint.dataset_sha256),
        0);
  }
  const std::string arithmetic = nn::arithmetic(train::products_of(settings));
  if (checkpoint.build != build_identity() || checkpoint.arithmetic != arithmetic) {
    log_warning(
        fmt::format("the run was started by {} with {}; this is {} with {}: its bits may differ from an "
                    "undisturbed run's",
                    checkpoint.build, checkpoint.arithmetic, build_identity(), arithmetic));
  }
}

Model model_without_parameters(const train::Settings& settings, const data::DatasetFile& file) {
  return {.architecture = train::architecture_for(settings, file),
          .parameters = {},
          .image_shape = file.image_shape(),
          .mean = file.mean(),
          .standard_deviation = train::deviation_of(file, settings),
          .classes = file.classes(),
          .dataset_sha256 = file.content_sha256(),
          .build = build_identity(),
          .arithmetic = nn::arithmetic(train::products_of(settings)),
          .holdout = settings.holdout,
          .seed = settings.seed};
}

}  // namespace

TrainingRun::TrainingRun(const comm::Communicator& ranks, const comm::Communicator& host,
                         const train::Settings& settings, const data::DatasetFile& file,
                         const train::TrainingData& data, const RunFolder* folder,
                         const std::optional<Checkpoint>& checkpoint, const Model* model)
    : ranks_(ranks),
      settings_(settings),
      file_(file),
      folder_(folder),
      trainer_(ranks, host, settings_, data, train::architecture_for(settings, file)),
      stop_agreement_(ranks) {
  at_rank_0([&] {
    best_model_ = model_without_parameters(settings, file);
    writer_ = std::make_unique<RunWriter>(*folder);
    check_free_space(*folder, settings, best_model_.architecture);
  });
  if (!checkpoint && model != nullptr) begin_at(*model);
  if (!checkpoint) return;
  check_checkpoint(*checkpoint, settings_, file);
  trainer_.restore(checkpoint->state);
  history_ = checkpoint->history;
  checkpointed_step_ = checkpoint->state.steps_done;
  // The process may have been killed after this checkpoint and before the files that follow from it.
  at_rank_0([&] {
    const std::string settings_text = train::to_toml(settings_);
    if (settings_text != read_text_file(folder_->config())) write_file_atomically(folder_->config(), settings_text);
    if (history_.empty()) return;
    set_best_model(checkpoint->best_parameters);
    // model.h5 may be of an epoch after the checkpoint.
    writer_->write({.checkpoint = {}, .history = history_, .best_model = best_model_});
  });
}

TrainingRun::~TrainingRun() = default;

void TrainingRun::begin_at(const Model& model) {
  Model fresh = model_without_parameters(settings_, file_);
  fresh.parameters = trainer_.parameters();
  trainer_.begin_at(nn::with_padding(fresh.architecture, fine_tuning_start(model, fresh)));
  save_checkpoint();
}

void TrainingRun::at_rank_0(const std::function<void()>& work) {
  comm::run_and_agree(ranks_, [&] {
    if (ranks_.rank() == 0) work();
  });
}

TrainingRun::End TrainingRun::run(const std::function<void(const train::EpochMetrics&, bool is_best)>& on_epoch,
                                  const std::function<void(const train::Trainer&)>& on_step) {
  // Whoever was told to stop while the run began has computed nothing, and shall not wait for a step.
  if (!train::stop_reason(history_, settings_) && stop_agreement_.settle(stop_requested())) {
    save_checkpoint();
    return {false, fmt::format("stopped on request before a step in epoch {}", history_.size() + 1)};
  }
  for (;;) {
    if (const std::optional<std::string> reason = train::stop_reason(history_, settings_)) {
      finish_writing();
      return {true, *reason};
    }
    const auto stop_now = [&] {
      if (on_step) on_step(trainer_);
      const bool cannot_write = writer_ && writer_->has_failed();  // save_checkpoint() will say why
      return stop_agreement_.after_step(stop_requested() || cannot_write);
    };
    if (!trainer_.run_steps(stop_now)) {
      save_checkpoint();
      return {false, fmt::format("stopped on request in epoch {}", history_.size() + 1)};
    }
    const bool stop = stop_agreement_.settle(stop_requested());
    finish_epoch(on_epoch);
    if (stop && !train::stop_reason(history_, settings_)) {
      save_checkpoint();
      return {false, fmt::format("stopped on request after epoch {}", history_.size())};
    }
  }
}

void TrainingRun::finish_epoch(const OnEpoch& on_epoch) {
  finish_writing();  // what went wrong with the epoch before comes before what may be wrong with this one
  history_.push_back(trainer_.finish_epoch());
  const train::EpochMetrics& epoch = history_.back();
  const bool is_best = train::best_epoch(history_) == epoch.epoch;
  const bool is_last = train::stop_reason(history_, settings_).has_value();
  if (is_best && ranks_.rank() == 0) set_best_model(trainer_.scored_parameters());
  RunProgress record;
  if (is_last || history_.size() % settings_.checkpoint_every == 0) record.checkpoint = checkpoint_if_new();
  at_rank_0([&] {
    record.history = history_;
    if (is_best) record.best_model = best_model_;
    writer_->write(std::move(record), [on_epoch, epoch, is_best] { on_epoch(epoch, is_best); });
  });
}

void TrainingRun::set_best_model(const std::vector<float>& parameters) {
  const train::EpochMetrics& best = history_[static_cast<std::size_t>(train::best_epoch(history_)) - 1];
  best_model_.parameters = parameters;
  best_model_.epoch = best.epoch;
  best_model_.score = best.score;
}

std::optional<Checkpoint> TrainingRun::checkpoint_if_new() {
  Checkpoint checkpoint = writer_ ? writer_->take_back() : Checkpoint{};
  trainer_.capture(checkpoint.state);
  if (checkpoint.state.steps_done == checkpointed_step_) return std::nullopt;
  checkpointed_step_ = checkpoint.state.steps_done;
  at_rank_0([&] {
    checkpoint.settings = train::to_toml(settings_);
    checkpoint.dataset_sha256 = file_.content_sha256();
    checkpoint.build = build_identity();
    checkpoint.arithmetic = nn::arithmetic(train::products_of(settings_));
    checkpoint.best_parameters = best_model_.parameters;
    checkpoint.history = history_;
  });
  return checkpoint;
}

void TrainingRun::save_checkpoint() {
  finish_writing();
  std::optional<Checkpoint> checkpoint = checkpoint_if_new();
  at_rank_0([&] {
    if (checkpoint) writer_->write({.checkpoint = std::move(checkpoint), .history = {}, .best_model = {}});
  });
  finish_writing();
}

void TrainingRun::finish_writing() {
  at_rank_0([&] { writer_->finish(); });
}

}  // namespace mnist_dist::run
