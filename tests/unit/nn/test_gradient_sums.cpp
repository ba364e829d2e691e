// Gradients over microbatches that do not merge: those of a host whose shards are no neighbours.
#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "message_of.hpp"
#include "mnist_dist/core/random.hpp"
#include "network_example.hpp"

using namespace mnist_dist;

namespace {

constexpr std::size_t kMicrobatches = 40;

/// The random example with a first layer of so many columns: up to 512 are gone through as they lie, more are packed.
Example example_with(std::size_t columns) {
  Example example = random_example(false);
  example.architecture.hidden = {columns, 33};
  example.parameters.resize(nn::parameter_count(example.architecture));
  RandomStream stream({.seed = 4, .purpose = Purpose::shuffle, .epoch = 0, .id = 0});
  for (float& parameter : example.parameters) parameter = stream.uniform(-0.5F, 0.5F);
  return example;
}

}  // namespace

TEST_CASE("40 microbatches that do not merge give 40 sums") {
  for (const std::size_t columns : {64, 528}) {
    CAPTURE(columns);
    const Example example = example_with(columns);
    Division division{std::vector<std::size_t>(kMicrobatches, 1), std::vector<std::uint8_t>(kMicrobatches, 0)};
    std::vector<std::vector<float>> gradients;
    loss_of(example, 0, division, kNoDropout, kMicrobatches, &gradients);
    for (std::size_t i = 0; i < kMicrobatches; ++i) {
      CAPTURE(i);
      std::vector<std::vector<float>> alone;
      loss_of(example, i, {{1}, {0}}, kNoDropout, 1, &alone);
      CHECK(gradients[i] == alone.front());
    }
    // Among those that do not merge, some that do.
    division.merges[20] = 1;
    division.merges[39] = 1;
    std::vector<std::vector<float>> merged;
    loss_of(example, 0, division, kNoDropout, kMicrobatches - 2, &merged);
    CHECK(merged[18] == gradients[18]);
    CHECK(merged[20] == gradients[21]);
    for (std::size_t i = 0; i < merged[19].size(); ++i) {
      CHECK(merged[19][i] == gradients[19][i] + gradients[20][i]);
      CHECK(merged[37][i] == gradients[38][i] + gradients[39][i]);
    }
  }
}

TEST_CASE("merges that are no tree's write nothing") {
  const Example example = example_with(64);
  const nn::Network network(example.architecture, example.scaling);
  nn::Workspace workspace(example.architecture, kMicrobatches);
  load_rows(example, network, 0, std::vector<std::size_t>(kMicrobatches, 1), workspace);
  const std::vector<nn::Microbatch> microbatches(kMicrobatches, {&workspace.activations(), 0, 0, 1});
  const auto refusal = [&](const std::vector<std::uint8_t>& merges) {
    std::vector<float> sum(network.blocks().front().size(), -1.0F);
    const std::string message = message_of(ExitCode::bug, [&] {
      network.gradient(network.blocks().front(), {std::span(microbatches).first(merges.size()), merges}, sum.data());
    });
    CHECK(sum == std::vector<float>(sum.size(), -1.0F));
    return message;
  };
  std::vector<std::uint8_t> all_at_last(kMicrobatches, 0);
  all_at_last.back() = kMicrobatches - 1;
  for (const std::vector<std::uint8_t>& merges : {{0, 0}, {0, 2}, all_at_last}) {
    CHECK(refusal(merges) == "the sums of a block's microbatches do not end in one");
  }
}
