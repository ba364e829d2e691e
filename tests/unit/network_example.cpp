#include "network_example.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

#include "float_comparison.hpp"
#include "mnist_dist/core/random.hpp"
#include "mnist_dist/nn/softmax_cross_entropy.hpp"

using namespace mnist_dist;

namespace {

void append_all(const nlohmann::json& nested, std::vector<float>& values) {
  if (nested.is_number()) {
    values.push_back(nested.get<float>());
  } else {
    for (const nlohmann::json& element : nested) append_all(element, values);
  }
}

/// The gradients that the microbatches of a workspace leave, block by block put together. [padded size] each
std::vector<std::vector<float>> gradients_of(const nn::Network& network, const nn::Workspace& workspace,
                                             const Division& division, std::size_t results) {
  std::vector<nn::Microbatch> microbatches;
  std::size_t first = 0;
  for (std::size_t i = 0; i < division.rows.size(); first += division.rows[i++]) {
    microbatches.push_back({&workspace.activations(), i, first, division.rows[i], division.merges[i]});
  }
  std::vector<std::vector<float>> gradients(results, std::vector<float>(network.padded_size(), -1.0F));
  for (const ParameterRange& block : network.blocks()) {
    std::vector<float*> places;
    for (std::vector<float>& gradient : gradients) places.push_back(gradient.data() + block.begin);
    network.gradient(block, microbatches, places);
  }
  return gradients;
}

std::vector<float> sum(std::vector<float> left, const std::vector<float>& right) {
  for (std::size_t i = 0; i < left.size(); ++i) left[i] += right[i];
  return left;
}

}  // namespace

nlohmann::json reference(const std::string& file) {
  return nlohmann::json::parse(std::ifstream(TEST_DATA "/" + file));
}

std::vector<float> flat(const nlohmann::json& nested) {
  std::vector<float> values;
  append_all(nested, values);
  return values;
}

std::vector<float> interleaved(const nlohmann::json& weights, const nlohmann::json& biases) {
  std::vector<float> values;
  for (std::size_t layer = 0; layer < weights.size(); ++layer) {
    append_all(weights[layer], values);
    append_all(biases[layer], values);
  }
  return values;
}

Example reference_example() {
  const nlohmann::json json = reference("mlp.json");
  Example example;
  const auto sizes = json.at("sizes").get<std::vector<std::size_t>>();
  example.architecture = {sizes.front(), {sizes.begin() + 1, sizes.end() - 1}, sizes.back(), json.at("leak")};
  example.parameters = interleaved(json.at("weights"), json.at("biases"));
  example.rows = flat(json.at("x"));
  example.labels = json.at("labels").get<std::vector<std::int32_t>>();
  example.row_ids.resize(example.labels.size());
  std::iota(example.row_ids.begin(), example.row_ids.end(), 100U);
  return example;
}

Example random_example(bool large) {
  Example example;
  example.architecture = {large ? 400U : 37U, {large ? 400U : 51U, 33U}, 5};
  example.parameters.resize(nn::parameter_count(example.architecture));
  RandomStream stream({.seed = 3, .purpose = Purpose::shuffle, .epoch = 0, .id = 0});
  for (float& parameter : example.parameters) parameter = stream.uniform(-0.5F, 0.5F);
  for (std::size_t i = 0; i < example.architecture.inputs; ++i) example.offsets.push_back(stream.uniform(-1, 1));
  for (std::uint64_t row = 0; row < 41; ++row) {
    // Many inputs are zero, alone and in groups, in some rows or in all.
    for (std::size_t i = 0; i < example.architecture.inputs; ++i) {
      const bool dark = i % 11 < 5 || (i + row) % 3 == 0 || stream.below(3) == 0;
      example.rows.push_back(dark ? 0.0F : stream.uniform(-2, 2));
    }
    example.labels.push_back(static_cast<std::int32_t>(stream.below(5)));
    example.row_ids.push_back(1000 + row);
  }
  return example;
}

void load_rows(const Example& example, std::size_t first, std::size_t count, nn::Workspace& workspace) {
  for (std::size_t row = 0; row < count; ++row) {
    std::ranges::copy(example.view().row(first + row), workspace.inputs().row(row).begin());
  }
}

void forward(const nn::Network& network, std::span<const float> parameters, std::span<const std::uint64_t> row_ids,
             const nn::Dropout& dropout, nn::Workspace& workspace) {
  const std::vector<LeafBlock> whole = {{0, network.segments()}};
  network.begin_pass(row_ids.size(), workspace);
  network.multiply_inputs(parameters, std::vector{nn::RowSegments{&workspace.activations(), row_ids.size(), whole[0]}},
                          workspace);
  network.forward(parameters, whole, row_ids, dropout, workspace);
}

double loss_of(const Example& example, std::size_t first, const Division& division, const nn::Dropout& dropout,
               std::size_t results, std::vector<std::vector<float>>* gradients) {
  const nn::Network network(example.architecture, example.offsets);
  const std::size_t rows = std::accumulate(division.rows.begin(), division.rows.end(), std::size_t{0});
  nn::Workspace workspace(example.architecture, example.labels.size());
  const std::vector<float> parameters = nn::with_padding(example.architecture, example.parameters);
  load_rows(example, first, rows, workspace);
  forward(network, parameters, std::span(example.row_ids).subspan(first, rows), dropout, workspace);
  const double loss = nn::softmax_cross_entropy(workspace.logits(), std::span(example.labels).subspan(first, rows),
                                                1.0F / static_cast<float>(example.labels.size()));
  if (gradients != nullptr) {
    network.backward(parameters, division.rows, workspace);
    *gradients = gradients_of(network, workspace, division, results);
  }
  return loss;
}

double mean_loss(const Example& example, const nn::Dropout& dropout, std::vector<float>* gradient) {
  std::vector<std::vector<float>> gradients;
  const Division whole{{example.labels.size()}, {0}};
  const double loss = loss_of(example, 0, whole, dropout, 1, gradient != nullptr ? &gradients : nullptr);
  if (gradient != nullptr) *gradient = nn::without_padding(example.architecture, gradients.front());
  return loss / static_cast<double>(example.labels.size());
}

std::vector<float> predicted_logits(const Example& example) {
  const nn::Network network(example.architecture, example.offsets);
  nn::Workspace workspace(example.architecture, example.labels.size());
  load_rows(example, 0, example.labels.size(), workspace);
  network.predict(nn::with_padding(example.architecture, example.parameters), example.labels.size(), workspace);
  std::vector<float> logits;
  for (std::size_t row = 0; row < example.labels.size(); ++row) {
    const std::span<const float> values = workspace.logits().row(row);
    logits.insert(logits.end(), values.begin(), values.end());
  }
  return logits;
}

double largest_gradient_error(Example example, const nn::Dropout& dropout, const std::vector<float>& gradient) {
  double largest = 0;
  for (std::size_t i = 0; i < example.parameters.size(); ++i) {
    const float value = example.parameters[i];
    // Wide enough for float's rounding; no unit of mlp.json changes sides within it.
    constexpr float kStep = 1e-3F;
    example.parameters[i] = value + kStep;
    const double above = mean_loss(example, dropout, nullptr);
    example.parameters[i] = value - kStep;
    const double below = mean_loss(example, dropout, nullptr);
    example.parameters[i] = value;
    largest = larger_error(largest, difference((above - below) / (2 * double{kStep}), gradient[i]));
  }
  return largest;
}

void check_microbatches(const Example& example) {
  const nn::Dropout dropout(0.2, 1, 1);
  // Shards 3 to 7 of 8: (3) and ((4 + 5) + (6 + 7)).
  const Division division{{13, 1, 12, 8, 7}, {0, 0, 1, 0, 2}};
  std::vector<std::vector<float>> gradients;
  loss_of(example, 0, division, dropout, 2, &gradients);
  std::vector<std::vector<float>> alone;
  for (std::size_t i = 0, first = 0; i < division.rows.size(); first += division.rows[i++]) {
    std::vector<std::vector<float>> one;
    loss_of(example, first, {{division.rows[i]}, {0}}, dropout, 1, &one);
    alone.push_back(one.front());
  }
  CHECK(gradients[0] == alone[0]);
  CHECK(gradients[1] == sum(sum(alone[1], alone[2]), sum(alone[3], alone[4])));
  // Another order of addition gives other bits, so this test can fail.
  CHECK(gradients[1] != sum(sum(sum(alone[1], alone[2]), alone[3]), alone[4]));
}
