// Training steps against the same computed from the definitions, in double precision, by one process.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "../unit/float_comparison.hpp"
#include "../unit/temporary_folder.hpp"
#include "mnist_dist/bench/benchmark.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/random.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/epoch_plan.hpp"
#include "mnist_dist/h5/file.hpp"
#include "mnist_dist/run/training_run.hpp"

using namespace mnist_dist;

namespace {

constexpr std::size_t kRows = 106;
constexpr std::size_t kInputs = 6;
constexpr std::size_t kClasses = 3;

std::uint8_t pixel(std::size_t row, std::size_t i) {
  RandomStream stream({.seed = 1, .purpose = Purpose::shuffle, .epoch = static_cast<std::uint32_t>(i), .id = row});
  return static_cast<std::uint8_t>(stream.below(256));
}

std::int32_t label(std::size_t row) {
  return pixel(row, 0) > 128 ? 2 : pixel(row, 1) > 128 ? 1 : 0;
}

void write_dataset(const std::filesystem::path& path) {
  std::vector<std::uint8_t> images;
  std::vector<std::int32_t> labels;
  std::vector<std::string> names;
  for (std::size_t row = 0; row < kRows; ++row) {
    for (std::size_t i = 0; i < kInputs; ++i) images.push_back(pixel(row, i));
    labels.push_back(label(row));
    names.push_back(std::to_string(row));
  }
  h5::File file = h5::File::create(path, path.string());
  file.write_attribute("format", std::string(data::kDatasetFormat));
  file.write_attribute("format_version", data::kDatasetFormatVersion);
  file.write_attribute("content_sha256", std::string("0"));
  file.write_strings("/classes", std::vector<std::string>{"a", "b", "c"});
  for (const std::string split : {"/train", "/test"}) {
    file.write(split + "/images", std::span<const std::uint8_t>(images), {kRows, 2, 3});
    file.write(split + "/labels", std::span<const std::int32_t>(labels), {kRows});
    file.write_strings(split + "/names", names);
  }
  file.write("/train/mean", std::span<const float>(std::vector<float>(kInputs, 100.0F)), {2, 3});
  file.write("/train/standard_deviation", std::span<const float>(std::vector<float>(kInputs, 50.0F)), {2, 3});
  file.close();
}

using Vector = std::vector<double>;

/// A network without hidden layers: softmax regression, whose gradient is short enough to be seen to be right.
struct Reference {
  Vector weights;  // [inputs x classes], then [classes] biases
  Vector m = Vector((kInputs + 1) * kClasses);
  Vector u = Vector((kInputs + 1) * kClasses);
  int steps = 0;

  [[nodiscard]] static Vector inputs_of(std::size_t row) {
    Vector x;
    for (std::size_t i = 0; i < kInputs; ++i) x.push_back((pixel(row, i) - 100.0) / 50.0);
    x.push_back(1);
    return x;
  }
  /// The loss of a row; adds its gradient.
  double add_row(std::size_t row, Vector& gradient) const {
    const Vector x = inputs_of(row);
    Vector exponentials(kClasses);
    double sum = 0;
    for (std::size_t j = 0; j < kClasses; ++j) {
      double logit = 0;
      for (std::size_t i = 0; i <= kInputs; ++i) logit += x[i] * weights[i * kClasses + j];
      sum += exponentials[j] = std::exp(logit);
    }
    const auto target = static_cast<std::size_t>(label(row));
    for (std::size_t i = 0; i <= kInputs; ++i) {
      for (std::size_t j = 0; j < kClasses; ++j) {
        gradient[i * kClasses + j] += x[i] * (exponentials[j] / sum - (j == target ? 1 : 0));
      }
    }
    return -std::log(exponentials[target] / sum);
  }
  void step(const std::vector<std::size_t>& rows, double penalty, double& loss) {
    Vector gradient(weights.size());
    for (const std::size_t row : rows) loss += add_row(row, gradient);
    ++steps;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const bool is_weight = i < kInputs * kClasses;
      const double g = gradient[i] / static_cast<double>(rows.size()) + (is_weight ? penalty * weights[i] : 0);
      m[i] = 0.9 * m[i] + 0.1 * g;
      u[i] = std::max(0.999 * u[i], std::fabs(g) + 1e-8);
      weights[i] -= 0.01 / (1 - std::pow(0.9, steps)) * m[i] / u[i];
    }
  }
};

}  // namespace

TEST_CASE("two epochs of training do what the definitions say") {
  const comm::Communicator world = comm::Communicator::world();
  const comm::Communicator host = world.split_by_host();
  const TemporaryFolder folder;
  write_dataset(folder.path() / "data.h5");
  const data::DatasetFile file(folder.path() / "data.h5");
  train::Settings settings;
  settings.hidden = {};
  settings.holdout = 0;
  settings.dropout = 0;
  settings.batch_size = 20;  // uneven microbatches, and a last step of 6 rows, fewer than the shards
  settings.learning_rate = 0.01;
  settings.output_l2 = 0.05;
  const train::TrainingData data = train::read_training_data(world, settings, file);
  train::Trainer trainer(world, host, settings, data, train::architecture_for(settings, file));

  Reference reference;
  const std::vector<float> initial = trainer.parameters();
  reference.weights.assign(initial.begin(), initial.end());
  const data::ShardPlan plan(kRows, settings.batch_size, settings.shards);
  for (std::uint32_t epoch = 1; epoch <= 2; ++epoch) {
    double loss = 0;
    for (std::size_t step = 0; step < plan.steps(); ++step) {
      std::vector<std::size_t> rows;
      for (std::size_t shard = 0; shard < settings.shards; ++shard) {
        const data::ShardPlan::Slice block = plan.rows_of_shard(shard);
        const auto order = data::shard_order(settings.seed, epoch, shard, block.size());
        const data::ShardPlan::Slice microbatch = plan.microbatch(shard, step);
        for (std::size_t i = microbatch.begin; i < microbatch.end; ++i) rows.push_back(block.begin + order[i]);
      }
      reference.step(rows, settings.output_l2, loss);
    }
    REQUIRE(trainer.run_steps([] { return false; }));
    CHECK(relative_difference(trainer.finish_epoch().loss, loss / kRows) < 2e-5);
    CHECK(largest_difference(trainer.parameters(), reference.weights) < 1e-5);
  }
}

TEST_CASE("steps without scores go on over the ends of epochs as training does") {
  const comm::Communicator world = comm::Communicator::world();
  const comm::Communicator host = world.split_by_host();
  const TemporaryFolder folder;
  write_dataset(folder.path() / "data.h5");
  const data::DatasetFile file(folder.path() / "data.h5");
  train::Settings settings;
  settings.hidden = {5};
  settings.batch_size = 30;
  const train::TrainingData data = train::read_training_data(world, settings, file);
  const nn::Architecture architecture = train::architecture_for(settings, file);

  train::Trainer trained(world, host, settings, data, architecture);
  for (int epoch = 1; epoch <= 3; ++epoch) {
    REQUIRE(trained.run_steps([] { return false; }));
    (void)trained.finish_epoch();
  }
  train::Trainer measured(world, host, settings, data, architecture);
  const auto steps = static_cast<std::int64_t>(data.plan.steps());
  measured.run_unscored_steps(2 * steps - 1);
  CHECK(measured.parameters() != trained.parameters());
  train::StepTimes times;
  measured.measure(times);
  measured.run_unscored_steps(steps + 1);
  CHECK(measured.parameters() == trained.parameters());
  CHECK(times.steps == steps + 1);
}

TEST_CASE("all ranks learn the same of a benchmark") {
  const comm::Communicator world = comm::Communicator::world();
  const comm::Communicator host = world.split_by_host();
  const TemporaryFolder folder;
  write_dataset(folder.path() / "data.h5");
  const data::DatasetFile file(folder.path() / "data.h5");
  train::Settings settings;
  settings.hidden = {5};
  settings.holdout = 0;
  const train::TrainingData data = train::read_training_data(world, settings, file);
  const bench::Benchmark benchmark =
      bench::run_benchmark(world, host, settings, data, train::architecture_for(settings, file), 0.02);

  std::vector<double> figures = {benchmark.step.seconds,         benchmark.step.phases.whole.mean,
                                 benchmark.products.seconds,     benchmark.products.largest.seconds,
                                 benchmark.exchange.mpi_seconds, benchmark.exchange.tree_seconds};
  for (const double seconds : figures) CHECK(seconds > 0);
  const std::vector<double> mine = figures;
  world.broadcast(std::span(figures));
  CHECK(figures == mine);

  // 8 shards give 12 or 13 rows each to a step of 100.
  const auto ranks = static_cast<std::size_t>(world.size());
  CHECK(benchmark.products.rows >= (100 + ranks - 1) / ranks);
  CHECK(benchmark.products.rows <= 13 * ((8 + ranks - 1) / ranks));
  CHECK(benchmark.products.products.size() == 5);
  CHECK(benchmark.exchange_seconds == benchmark.exchange.tree_seconds);
}

TEST_CASE("a state with vectors of another size, or of a step that does not exist, is refused") {
  const comm::Communicator world = comm::Communicator::world();
  const comm::Communicator host = world.split_by_host();
  const TemporaryFolder folder;
  write_dataset(folder.path() / "data.h5");
  const data::DatasetFile file(folder.path() / "data.h5");
  train::Settings settings;
  settings.hidden = {5};
  settings.optimizer = "sgd";
  settings.batch_size = 30;
  const train::TrainingData data = train::read_training_data(world, settings, file);
  train::Trainer trainer(world, host, settings, data, train::architecture_for(settings, file));
  trainer.run_unscored_steps(1);
  train::TrainerState state;
  trainer.capture(state);
  CHECK(state.second_moment.empty());
  // Rank 0 has the vectors; all ranks restore the same.
  std::uint64_t size = state.parameters.size();
  world.broadcast(std::span(&size, 1));
  state.parameters.resize(size);
  state.first_moment.resize(size);
  world.broadcast(std::span(state.parameters));
  world.broadcast(std::span(state.first_moment));
  const std::vector<float> before = trainer.parameters();
  trainer.run_unscored_steps(1);
  trainer.restore(state);
  CHECK(trainer.parameters() == before);
  for (auto vector : {&train::TrainerState::parameters, &train::TrainerState::first_moment,
                      &train::TrainerState::second_moment, &train::TrainerState::average}) {
    train::TrainerState longer = state;
    (longer.*vector).push_back(0);
    CHECK_THROWS_AS(trainer.restore(longer), comm::AgreedError);
  }
  for (const std::int64_t step : {std::int64_t{-1}, static_cast<std::int64_t>(data.plan.steps())}) {
    train::TrainerState elsewhere = state;
    elsewhere.steps_done_in_epoch = step;
    CHECK_THROWS_AS(trainer.restore(elsewhere), comm::AgreedError);
  }
}
