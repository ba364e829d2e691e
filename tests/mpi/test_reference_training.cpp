// Whole trainings against the same computed from the definitions, in double precision, by another program
// (tests/reference/generate.py): a case for every setting, which shows in the result.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "../unit/float_comparison.hpp"
#include "../unit/temporary_folder.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/run/model.hpp"
#include "mnist_dist/run/training_run.hpp"
#include "reference_trainings.hpp"

using namespace mnist_dist;

namespace {

/// What is wrong, if anything is.
std::string what_differs(std::span<const float> computed, std::span<const double> expected, double tolerance) {
  if (computed.size() != expected.size()) return fmt::format("{} values, not {}", computed.size(), expected.size());
  std::string text;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (is_close(computed[i], expected[i], tolerance)) continue;
    if (wrong++ == 0) text = fmt::format("value {} is {}, not {}", i, computed[i], expected[i]);
  }
  return wrong < 2 ? text : fmt::format("{}; {} of {} are wrong", text, wrong, expected.size());
}

/// What all ranks need for the trainings.
struct Fixture {
  comm::Communicator world = comm::Communicator::world();
  comm::Communicator host = world.split_by_host();
  TemporaryFolder folder;
  ReferenceTrainings references = read_reference_trainings(folder.path() / "data.h5");
  data::DatasetFile file = data::DatasetFile(folder.path() / "data.h5");

  [[nodiscard]] bool enough_shards(const train::Settings& settings) const {
    return settings.shards >= static_cast<std::uint64_t>(world.size());
  }
};

void check_epoch(const train::EpochMetrics& epoch, const ReferenceEpoch& expected, double tolerance) {
  CHECK(is_close(epoch.loss, expected.loss, tolerance));
  if (std::isnan(expected.score)) {
    CHECK(std::isnan(epoch.score));
    CHECK(std::isnan(epoch.accuracy));
    return;
  }
  CHECK(is_close(epoch.score, expected.score, tolerance));
  CHECK(is_close(epoch.accuracy, expected.accuracy, tolerance));
}

/// Local. What is scored at rank 0 is the average, where one is kept.
void check_end(const train::Trainer& trainer, const ReferenceTraining& expected, const Fixture& fixture) {
  const double tolerance = fixture.references.tolerance;
  CHECK(what_differs(trainer.parameters(), expected.parameters, tolerance) == "");
  if (fixture.world.rank() != 0) return;
  const std::vector<double>& scored = expected.average.empty() ? expected.parameters : expected.average;
  CHECK(what_differs(trainer.scored_parameters(), scored, tolerance) == "");
}

/// Collective: the state as all ranks would read it from a checkpoint's file.
train::TrainerState as_from_file(const Fixture& fixture, const train::TrainerState& state,
                                 const std::vector<train::EpochMetrics>& history) {
  std::string text;
  if (fixture.world.rank() == 0) {
    run::Checkpoint checkpoint;
    checkpoint.state = state;
    checkpoint.history = history;
    if (!history.empty()) checkpoint.best_parameters = state.parameters;
    const std::vector<std::byte> bytes = run::encode_checkpoint(checkpoint);
    text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  text = fixture.world.broadcast(std::move(text));
  return run::decode_checkpoint(std::as_bytes(std::span(text)), "checkpoint").state;
}

/// Collective. @param stop_in_epoch another trainer goes on from a checkpoint that is taken after two steps of this
/// epoch, from 1; 0: nobody stops
void check_training(const Fixture& fixture, const train::Settings& settings, const ReferenceTraining& expected,
                    std::size_t stop_in_epoch = 0) {
  const std::string what =
      fmt::format("{}, reduction {}, resumed in epoch {}", expected.name, settings.reduction, stop_in_epoch);
  INFO(what);
  const train::TrainingData data = train::read_training_data(fixture.world, settings, fixture.file);
  const nn::Architecture architecture = train::architecture_for(settings, fixture.file);
  std::optional<train::Trainer> trainer;
  trainer.emplace(fixture.world, fixture.host, settings, data, architecture);
  std::vector<train::EpochMetrics> history;
  for (std::size_t epoch = 1; epoch <= expected.epochs.size(); ++epoch) {
    if (epoch == stop_in_epoch) {
      int steps = 0;
      REQUIRE_FALSE(trainer->run_steps([&] { return ++steps == 2; }));
      train::TrainerState captured;
      trainer->capture(captured);
      const train::TrainerState state = as_from_file(fixture, captured, history);
      trainer.emplace(fixture.world, fixture.host, settings, data, architecture);
      trainer->restore(state);
    }
    REQUIRE(trainer->run_steps([] { return false; }));
    history.push_back(trainer->finish_epoch());
    check_epoch(history.back(), expected.epochs[epoch - 1], fixture.references.tolerance);
  }
  check_end(*trainer, expected, fixture);
}

}  // namespace

TEST_CASE("whole trainings are those of the definitions, with any setting") {
  const Fixture fixture;
  int skipped = 0;
  for (const ReferenceTraining& training : fixture.references.all) {
    if (fixture.enough_shards(training.settings)) {
      check_training(fixture, training.settings, training);
    } else {
      ++skipped;
    }
  }
  CHECK((skipped == 0 || fixture.world.size() > 3));
  if (skipped == 0 || fixture.world.rank() != 0) return;
  MESSAGE(fixture.world.size(), " ranks: ", skipped, " of ", fixture.references.all.size(),
          " trainings left out, which have fewer shards");
}

TEST_CASE("a training that goes on from a checkpoint within an epoch ends as the definitions say") {
  const Fixture fixture;
  for (const ReferenceTraining& training : fixture.references.all) {
    if (!fixture.enough_shards(training.settings)) continue;
    check_training(fixture, training.settings, training, 1);
    check_training(fixture, training.settings, training, 2);
  }
}

TEST_CASE("with OpenBLAS's products they are the same") {
  const Fixture fixture;
  for (const ReferenceTraining& training : fixture.references.all) {
    if (!fixture.enough_shards(training.settings)) continue;
    train::Settings settings = training.settings;
    settings.products = "openblas";
    check_training(fixture, settings, training);
  }
}

TEST_CASE("a reduction by MPI alone comes to the same") {
  const Fixture fixture;
  const ReferenceTraining& training = fixture.references.named("everything");
  train::Settings settings = training.settings;
  settings.reduction = "mpi";
  check_training(fixture, settings, training);
  check_training(fixture, settings, training, 2);
}

TEST_CASE("ranks that come to the first layer one after the other wait for each other") {
  const Fixture fixture;
  const ReferenceTraining& training = fixture.references.named("uneven-ranks");
  if (!fixture.enough_shards(training.settings)) return;
  // A rank that does not wait is wrong only where it is early, which is not always.
  constexpr int kRuns = 20;
  for (int run = 0; run < kRuns; ++run) check_training(fixture, training.settings, training);
}

TEST_CASE("the model's file holds the averaged parameters, and the deviation with its floor") {
  const Fixture fixture;
  const ReferenceTraining& training = fixture.references.named("model");
  const train::TrainingData data = train::read_training_data(fixture.world, training.settings, fixture.file);
  std::optional<run::RunFolder> folder;
  if (fixture.world.rank() == 0) {
    folder.emplace(run::RunFolder::create(fixture.folder.path() / "run", training.settings));
  }
  run::TrainingRun run(fixture.world, fixture.host, training.settings, fixture.file, data, folder ? &*folder : nullptr,
                       {});
  CHECK(run.run([](const train::EpochMetrics&, bool) {}).finished);
  REQUIRE(run.history().size() == training.epochs.size());
  if (!folder) return;
  const run::Model model = run::load_model(folder->model());
  CHECK(what_differs(model.parameters, training.average, fixture.references.tolerance) == "");
  std::vector<double> deviation = fixture.references.standard_deviation;
  int raised = 0;
  for (double& value : deviation) {
    raised += value < training.settings.deviation_floor ? 1 : 0;
    value = std::max(value, training.settings.deviation_floor);
  }
  CHECK(raised > 0);
  CHECK(what_differs(model.standard_deviation, deviation, fixture.references.tolerance) == "");
}
