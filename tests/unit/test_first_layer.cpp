// The first layer's product, divided among ranks: by segments of the inputs, for the rows of all.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "../../src/nn/input_segments.hpp"
#include "float_comparison.hpp"
#include "mnist_dist/core/random.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/train/first_layer_division.hpp"
#include "network_example.hpp"

using namespace mnist_dist;

namespace {

/// A member of a team, who has some of an example's rows.
struct Member {
  std::size_t first_row;
  std::size_t rows;
  nn::Workspace workspace;
};

std::vector<Member> divide_rows(const Example& example, std::size_t members) {
  std::vector<Member> team;
  const std::size_t rows = example.labels.size();
  for (std::size_t member = 0; member < members; ++member) {
    const std::size_t first = rows * member / members;
    team.push_back({first, rows * (member + 1) / members - first, nn::Workspace(example.architecture, rows)});
    load_rows(example, first, team.back().rows, team.back().workspace);
  }
  return team;
}

/// The logits of all rows after a team's forward pass, and so many members take part. [rows x outputs]
std::vector<float> logits_of_team(const Example& example, std::size_t members) {
  const nn::Network network(example.architecture, example.offsets);
  const std::vector<float> parameters = nn::with_padding(example.architecture, example.parameters);
  std::vector<Member> team = divide_rows(example, members);
  for (Member& member : team) network.begin_pass(member.rows, member.workspace);
  for (std::size_t place = members; place-- > 0;) {  // in whatever order
    const train::FirstLayerDivision division(network.segments(), members, place);
    std::vector<nn::RowSegments> parts;
    for (std::size_t other = 0; other < members; ++other) {
      parts.push_back({&team[other].workspace.activations(), team[other].rows, division.mine_of_rows_of(other)});
    }
    network.multiply_inputs(parameters, parts, team[place].workspace);
  }
  std::vector<float> logits;
  for (std::size_t place = 0; place < members; ++place) {
    Member& member = team[place];
    const train::FirstLayerDivision division(network.segments(), members, place);
    network.forward(parameters, division.of_my_rows(),
                    std::span(example.row_ids).subspan(member.first_row, member.rows), nn::Dropout(0.2, 1, 1),
                    member.workspace);
    for (std::size_t row = 0; row < member.rows; ++row) {
      const std::span<const float> values = member.workspace.logits().row(row);
      logits.insert(logits.end(), values.begin(), values.end());
    }
  }
  return logits;
}

/// With other hidden layers, and random parameters for them.
Example with_hidden(Example example, std::vector<std::size_t> hidden) {
  example.architecture.hidden = std::move(hidden);
  example.parameters.resize(nn::parameter_count(example.architecture));
  RandomStream stream({.seed = 4, .purpose = Purpose::shuffle, .epoch = 0, .id = 0});
  for (float& parameter : example.parameters) parameter = stream.uniform(-0.5F, 0.5F);
  return example;
}

/// With fewer inputs than the rows' own.
Example with_inputs(Example example, std::size_t inputs) {
  const std::size_t before = example.architecture.inputs;
  std::vector<float> rows;
  for (std::size_t row = 0; row < example.labels.size(); ++row) {
    const std::span<const float> values = example.view().row(row);
    rows.insert(rows.end(), values.begin(), values.begin() + static_cast<std::ptrdiff_t>(inputs));
  }
  const auto units = static_cast<std::ptrdiff_t>((before - inputs) * example.architecture.hidden.front());
  example.parameters.erase(example.parameters.begin(), example.parameters.begin() + units);
  example.architecture.inputs = inputs;
  example.offsets.resize(inputs);
  example.rows = rows;
  return example;
}

}  // namespace

TEST_CASE("a team's forward pass has the same bits for any number of members") {
  const Example small = random_example(false);
  for (const Example& example : {small, random_example(true), with_inputs(small, 9), with_inputs(small, 3),
                                 with_hidden(small, {600}), with_hidden(small, {})}) {
    CAPTURE(example.architecture.description());
    const std::vector<float> expected = logits_of_team(example, 1);
    CHECK(expected.size() == example.labels.size() * example.architecture.outputs);
    for (std::size_t members = 2; members <= 17; ++members) {
      CAPTURE(members);
      CHECK(logits_of_team(example, members) == expected);
    }
  }
}

TEST_CASE("every segment of every member's rows has one worker, and all workers have as many") {
  for (std::size_t segments = 1; segments <= nn::kMaxSegments; ++segments) {
    for (std::size_t members = 1; members <= 9; ++members) {
      CAPTURE(segments);
      CAPTURE(members);
      for (std::size_t place = 0; place < members; ++place) {
        const train::FirstLayerDivision division(segments, members, place);
        std::size_t next = 0;
        for (std::size_t worker = 0; worker < members; ++worker) {
          const LeafBlock block = division.of_my_rows()[worker];
          CHECK(block.begin == next);
          next = block.end;
          const LeafBlock same = train::FirstLayerDivision(segments, members, worker).mine_of_rows_of(place);
          CHECK(same.begin == block.begin);
          CHECK(same.end == block.end);
        }
        CHECK(next == segments);
        std::size_t units = 0;
        for (std::size_t other = 0; other < members; ++other) units += division.mine_of_rows_of(other).size();
        CHECK(units == segments);
      }
    }
  }
}

TEST_CASE("segments have about the same work each, wherever inputs are rarely zero") {
  // 40 groups: the middle ones are zero in half of the rows, the outer ones nearly always.
  std::vector<double> zero(40, 0.9999);
  std::fill(zero.begin() + 10, zero.begin() + 30, 0.5);
  CHECK(nn::segment_ends(zero) == std::vector<std::size_t>{15, 20, 25, 40});
  CHECK(nn::segment_ends(std::vector<double>(8, 0.0)) == std::vector<std::size_t>{2, 4, 6, 8});
  // Not more segments than groups, and none without a group, even where nothing is ever active.
  CHECK(nn::segment_ends(std::vector<double>(3, 0.0)) == std::vector<std::size_t>{1, 2, 3});
  CHECK(nn::segment_ends(std::vector<double>(5, 1.0)) == std::vector<std::size_t>{1, 2, 3, 5});
  CHECK(nn::segment_ends(std::vector<double>{0, 1, 1, 1, 1}) == std::vector<std::size_t>{1, 2, 3, 5});
}

TEST_CASE("how often inputs are zero follows from their mean and deviation") {
  // One input is 1 in a quarter of the rows, otherwise 0: mean 1/4, deviation sqrt(3)/4.
  const float offset = -1.0F / std::sqrt(3.0F);
  const std::vector<double> shares = nn::zero_shares(6, std::vector<float>{offset, offset, offset, offset, 0, 0});
  REQUIRE(shares.size() == 2);
  CHECK(difference(shares[0], 0.75) < 1e-6);
  CHECK(shares[1] == 1.0);                                     // always zero
  CHECK(nn::zero_shares(6, {}) == std::vector<double>{0, 0});  // nothing is known
  CHECK(nn::activity_in_row(1.0) == 0.0);
  CHECK(nn::activity_in_row(0.0) == 1.0);
  CHECK(difference(nn::activity_in_row(0.75), 1 - std::pow(0.75, 2.5)) < 1e-12);
}
