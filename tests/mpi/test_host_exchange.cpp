// Whole trainings on pretended hosts: the same bits as on one, whatever they exchange.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "../unit/temporary_folder.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/train/trainer.hpp"
#include "reference_trainings.hpp"

using namespace mnist_dist;
using comm::Communicator;

namespace {

/// Everything that a step can have, in 11 shards and steps of 23 rows, the last one shorter.
train::Settings everything() {
  train::Settings settings;
  settings.hidden = {20, 17};
  settings.shards = 11;
  settings.batch_size = 23;
  settings.holdout = 0.2;
  settings.learning_rate = 0.01;
  settings.dropout = 0.3;
  settings.clip_norm = 0.5;
  settings.weight_decay = 0.01;
  settings.average = 0.9;
  settings.rotation = 10;
  settings.shift = 1;
  return settings;
}

/// How the world's ranks lie on pretended hosts.
struct Layout {
  std::string name;
  std::function<int(int rank)> host_of;
  std::string exchange;
};

const std::vector<Layout> kLayouts = {
    {"one host", [](int) { return 0; }, "auto"},
    {"two ranks a host", [](int rank) { return rank / 2; }, "gradients"},
    {"two ranks a host", [](int rank) { return rank / 2; }, "activations"},
    {"a host for each rank", [](int rank) { return rank; }, "gradients"},
    {"a host for each rank", [](int rank) { return rank; }, "activations"},
    {"two together, the others alone", [](int rank) { return rank < 2 ? 0 : rank; }, "gradients"},
    {"two together, the others alone", [](int rank) { return rank < 2 ? 0 : rank; }, "activations"},
    {"in turn", [](int rank) { return rank % 2; }, "gradients"},
    {"in turn", [](int rank) { return rank % 2; }, "activations"},
    {"three, and the others", [](int rank) { return rank < 3 ? 0 : 1; }, "gradients"},
    {"three, and the others", [](int rank) { return rank < 3 ? 0 : 1; }, "activations"},
    {"what is quicker", [](int rank) { return rank / 2; }, "auto"},
};

/// The ranks of a layout, each with its own data.
struct Hosts {
  Hosts(const Communicator& world, const Layout& layout, train::Settings with, const data::DatasetFile& file)
      : host(world.split(layout.host_of(world.rank()))),
        ranks(world.numbered_by_host(host)),
        settings(std::move(with)) {
    settings.exchange = layout.exchange;
    data.emplace(train::read_training_data(ranks, settings, file));
    trainer.emplace(ranks, host, settings, *data, train::architecture_for(settings, file));
  }
  Communicator host;
  Communicator ranks;
  train::Settings settings;
  std::optional<train::TrainingData> data;
  std::optional<train::Trainer> trainer;
};

/// Collective: the whole state, at all ranks.
train::TrainerState state_of(const Communicator& world, train::Trainer& trainer) {
  train::TrainerState state;
  trainer.capture(state);
  for (std::vector<float>* values : {&state.parameters, &state.first_moment, &state.second_moment, &state.average}) {
    std::uint64_t size = values->size();
    world.broadcast(std::span(&size, 1));
    values->resize(size);
    world.broadcast(std::span(*values));
  }
  return state;
}

/// What a training leaves.
struct Result {
  double loss = 0;
  double score = 0;
  std::vector<float> scored;  // at rank 0
  train::TrainerState state;
};

bool are_same(const Result& a, const Result& b) {
  return a.loss == b.loss && a.score == b.score && a.scored == b.scored && a.state.steps_done == b.state.steps_done &&
         a.state.shard_losses == b.state.shard_losses && a.state.parameters == b.state.parameters &&
         a.state.first_moment == b.state.first_moment && a.state.second_moment == b.state.second_moment &&
         a.state.average == b.state.average;
}

/// Collective: two epochs but for the last step; with a change of hosts after the first epoch and two steps, where
/// there is another layout.
Result trained(const Communicator& world, const data::DatasetFile& file, const train::Settings& settings,
               const Layout& layout, const Layout* other = nullptr) {
  std::optional<Hosts> hosts;
  hosts.emplace(world, layout, settings, file);
  const auto steps = static_cast<std::int64_t>(hosts->data->plan.steps());
  REQUIRE(steps > 2);
  CHECK(hosts->trainer->run_steps([] { return false; }));
  const train::EpochMetrics metrics = hosts->trainer->finish_epoch();
  Result result{metrics.loss, metrics.score, hosts->trainer->scored_parameters(), {}};
  hosts->trainer->run_unscored_steps(2);
  if (other != nullptr) {
    const train::TrainerState state = state_of(world, *hosts->trainer);
    hosts.emplace(world, *other, settings, file);
    hosts->trainer->restore(state);
  }
  hosts->trainer->run_unscored_steps(steps - 2);
  result.state = state_of(world, *hosts->trainer);
  return result;
}

}  // namespace

TEST_CASE("hosts train to the same bits, whatever they exchange and wherever the ranks lie") {
  const Communicator world = Communicator::world();
  const TemporaryFolder folder;
  (void)read_reference_trainings(folder.path() / "data.h5");
  const data::DatasetFile file(folder.path() / "data.h5");
  train::Settings settings = everything();
  SUBCASE("with everything") {}
  SUBCASE("with nothing beside") {
    settings = {};
    settings.hidden = {20};
    settings.batch_size = 30;
    settings.shards = 8;
  }
  SUBCASE("with fewer rows in a step than shards, and no hidden layer") {
    settings.hidden = {};
    settings.batch_size = 7;
  }
  SUBCASE("with OpenBLAS's products") {
    settings.products = "openblas";
  }
  const Result expected = trained(world, file, settings, kLayouts.front());
  for (std::size_t i = 1; i < kLayouts.size(); ++i) {
    CAPTURE(kLayouts[i].name);
    CAPTURE(kLayouts[i].exchange);
    CHECK(are_same(trained(world, file, settings, kLayouts[i]), expected));
    CHECK(are_same(trained(world, file, settings, kLayouts[i], &kLayouts[(i + 4) % kLayouts.size()]), expected));
  }
}

TEST_CASE("hosts say what they exchange, and what they chose by") {
  const Communicator world = Communicator::world();
  const TemporaryFolder folder;
  (void)read_reference_trainings(folder.path() / "data.h5");
  const data::DatasetFile file(folder.path() / "data.h5");
  const auto description = [&](const Layout& layout) {
    return Hosts(world, layout, everything(), file).trainer->exchange().description();
  };
  CHECK(description(kLayouts.front()) == "");
  if (world.size() < 3) return;
  CHECK(description(kLayouts[1]).starts_with("gradients of "));
  CHECK(description(kLayouts[2]).starts_with("activations of "));
  CHECK(description(kLayouts[2]).find("link") == std::string::npos);
  CHECK(description(kLayouts.back()).find(" us") != std::string::npos);
}
