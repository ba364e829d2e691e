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

/// The passes over 40 microbatches of a row each, and the first block's gradient under any merges.
class Passes {
 public:
  explicit Passes(const Example& example)
      : network_(example.architecture, example.offsets), workspace_(example.architecture, kMicrobatches) {
    const std::vector<float> parameters = nn::with_padding(example.architecture, example.parameters);
    load_rows(example, 0, kMicrobatches, workspace_);
    forward(network_, parameters, std::span(example.row_ids).first(kMicrobatches), kNoDropout, workspace_);
    network_.backward(parameters, std::vector<std::size_t>(kMicrobatches, 1), workspace_);
  }

  /// What the refusal says. The sums must be as they were.
  [[nodiscard]] std::string refusal(const std::vector<std::uint8_t>& merges, std::size_t sums) const {
    std::vector<nn::Microbatch> microbatches;
    for (std::size_t i = 0; i < merges.size(); ++i) {
      microbatches.push_back({&workspace_.activations(), i, i, 1, merges[i]});
    }
    const ParameterRange block = network_.blocks().front();
    std::vector<std::vector<float>> gradients(sums, std::vector<float>(block.size(), -1.0F));
    std::vector<float*> places;
    for (std::vector<float>& gradient : gradients) places.push_back(gradient.data());
    const std::string message = message_of(ExitCode::bug, [&] { network_.gradient(block, microbatches, places); });
    for (const std::vector<float>& gradient : gradients) CHECK(gradient == std::vector<float>(block.size(), -1.0F));
    return message;
  }

 private:
  nn::Network network_;
  nn::Workspace workspace_;
};

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

TEST_CASE("merges that are no tree's, or leave another number of sums than there are places, write nothing") {
  for (const std::size_t columns : {64, 528}) {
    CAPTURE(columns);
    const Passes passes(example_with(columns));
    const std::vector<std::uint8_t> none(kMicrobatches, 0);
    CHECK(passes.refusal(none, 39) == "40 sums for 39 places");
    CHECK(passes.refusal({0, 2}, 1) == "1 sums for 2 merges");
    std::vector<std::uint8_t> all_at_last = none;
    all_at_last.back() = 39;
    CHECK(passes.refusal(all_at_last, 1) == "more than 16 sums wait");
  }
}
