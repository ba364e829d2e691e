#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "mnist_dist/core/random.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/nn/softmax_cross_entropy.hpp"

using namespace mnist_dist;

namespace {

const nn::Dropout kNoDropout(0.0, 0, 0);

/// A network, its parameters and some labelled rows.
struct Example {
  nn::Architecture architecture;
  std::vector<float> parameters;
  std::vector<float> offsets;  // of the inputs, or none
  std::vector<float> rows;
  std::vector<std::int32_t> labels;
  std::vector<std::uint64_t> row_ids;

  [[nodiscard]] MatrixView<const float> view() const { return {rows.data(), labels.size(), architecture.inputs}; }
};

void append_all(const nlohmann::json& nested, std::vector<float>& values) {
  if (nested.is_number()) {
    values.push_back(nested.get<float>());
  } else {
    for (const nlohmann::json& element : nested) append_all(element, values);
  }
}

nlohmann::json reference() {
  return nlohmann::json::parse(std::ifstream(TEST_DATA "/mlp.json"));
}

/// W1, b1, W2, b2, ... as the flat vector has them.
std::vector<float> interleaved(const nlohmann::json& weights, const nlohmann::json& biases) {
  std::vector<float> values;
  for (std::size_t layer = 0; layer < weights.size(); ++layer) {
    append_all(weights[layer], values);
    append_all(biases[layer], values);
  }
  return values;
}

Example reference_example() {
  const nlohmann::json json = reference();
  Example example;
  const auto sizes = json.at("sizes").get<std::vector<std::size_t>>();
  example.architecture = {sizes.front(), {sizes.begin() + 1, sizes.end() - 1}, sizes.back(), json.at("leak")};
  example.parameters = interleaved(json.at("weights"), json.at("biases"));
  append_all(json.at("x"), example.rows);
  example.labels = json.at("labels").get<std::vector<std::int32_t>>();
  example.row_ids.resize(example.labels.size());
  std::iota(example.row_ids.begin(), example.row_ids.end(), 100U);
  return example;
}

/// How microbatches divide the rows, and how their gradients are added.
struct Division {
  std::vector<std::size_t> rows;
  std::vector<std::uint8_t> merges;
};

/// Puts the example's rows from the first one on where the network takes them.
void load_rows(const Example& example, std::size_t first, std::size_t count, nn::Workspace& workspace) {
  for (std::size_t row = 0; row < count; ++row) {
    std::ranges::copy(example.view().row(first + row), workspace.inputs().row(row).begin());
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

/// The loss of the rows from `first` on, summed, scaled for the gradient as in the whole batch; and the gradients.
double loss_of(const Example& example, std::size_t first, const Division& division, const nn::Dropout& dropout,
               std::size_t results, std::vector<std::vector<float>>* gradients) {
  const nn::Network network(example.architecture, example.offsets);
  const std::size_t rows = std::accumulate(division.rows.begin(), division.rows.end(), std::size_t{0});
  nn::Workspace workspace(example.architecture, example.labels.size());
  const nn::OwnedParameters owned(network, nn::with_padding(example.architecture, example.parameters));
  const nn::Parameters parameters = owned.view();
  load_rows(example, first, rows, workspace);
  network.forward(parameters, std::span(example.row_ids).subspan(first, rows), dropout, workspace);
  const double loss = nn::softmax_cross_entropy(workspace.logits(), std::span(example.labels).subspan(first, rows),
                                                1.0F / static_cast<float>(example.labels.size()));
  if (gradients != nullptr) {
    network.backward(parameters, division.rows, workspace);
    *gradients = gradients_of(network, workspace, division, results);
  }
  return loss;
}

/// The mean loss, and its gradient where one is asked for.
double mean_loss(const Example& example, const nn::Dropout& dropout, std::vector<float>* gradient) {
  std::vector<std::vector<float>> gradients;
  const Division whole{{example.labels.size()}, {0}};
  const double loss = loss_of(example, 0, whole, dropout, 1, gradient != nullptr ? &gradients : nullptr);
  if (gradient != nullptr) *gradient = nn::without_padding(example.architecture, gradients.front());
  return loss / static_cast<double>(example.labels.size());
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(double{a[i]} - double{b[i]}));
  return largest;
}

}  // namespace

TEST_CASE("logits, loss and gradients agree with PyTorch in double precision") {
  const Example example = reference_example();
  const nlohmann::json json = reference();
  const nn::Network network(example.architecture);
  nn::Workspace workspace(example.architecture, example.labels.size());
  load_rows(example, 0, example.labels.size(), workspace);
  const nn::OwnedParameters parameters(network, nn::with_padding(example.architecture, example.parameters));
  network.predict(parameters.view(), example.labels.size(), workspace);
  std::vector<float> logits;
  for (std::size_t row = 0; row < example.labels.size(); ++row) {
    const std::span<const float> values = workspace.logits().row(row);
    logits.insert(logits.end(), values.begin(), values.end());
  }
  std::vector<float> expected;
  append_all(json.at("logits"), expected);
  CHECK(largest_difference(logits, expected) < 1e-6);

  std::vector<float> gradient;
  CHECK(mean_loss(example, kNoDropout, &gradient) == doctest::Approx(json.at("loss").get<double>()).epsilon(1e-6));
  CHECK(largest_difference(gradient, interleaved(json.at("weight_gradients"), json.at("bias_gradients"))) < 1e-7);
}

TEST_CASE("gradients agree with finite differences, with and without dropout") {
  Example example = reference_example();
  for (const double rate : {0.0, 0.4}) {
    CAPTURE(rate);
    const nn::Dropout dropout(rate, 7, 2);
    std::vector<float> gradient;
    mean_loss(example, dropout, &gradient);
    double largest = 0;
    for (std::size_t i = 0; i < example.parameters.size(); ++i) {
      const float value = example.parameters[i];
      // Wide enough for float's rounding; no unit of this example changes sides within it.
      constexpr float kStep = 1e-3F;
      example.parameters[i] = value + kStep;
      const double above = mean_loss(example, dropout, nullptr);
      example.parameters[i] = value - kStep;
      const double below = mean_loss(example, dropout, nullptr);
      example.parameters[i] = value;
      largest = std::max(largest, std::fabs((above - below) / (2 * double{kStep}) - gradient[i]));
    }
    CHECK(largest < 2e-4);
    CHECK(*std::max_element(gradient.begin(), gradient.end()) > 1e-2);
  }
}

TEST_CASE("microbatches scaled by the global batch add up to the gradient of the whole batch") {
  const Example example = reference_example();
  std::vector<float> expected;
  mean_loss(example, kNoDropout, &expected);
  // Uneven parts: a mean of means would be wrong here. One is empty.
  std::vector<std::vector<float>> gradients;
  loss_of(example, 0, {{5, 1, 0, 3}, {0, 1, 0, 2}}, kNoDropout, 1, &gradients);
  CHECK(largest_difference(nn::without_padding(example.architecture, gradients.front()), expected) < 1e-7);
}

namespace {

/// A few random rows for a network whose layers go through our own kernels, or are too large for them.
Example random_example(bool large) {
  Example example;
  example.architecture = {large ? 400U : 37U, {large ? 400U : 51U, 33U}, 5, 0.1F};
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

std::vector<float> sum(std::vector<float> left, const std::vector<float>& right) {
  for (std::size_t i = 0; i < left.size(); ++i) left[i] += right[i];
  return left;
}

}  // namespace

TEST_CASE("a microbatch's gradient has the same bits whatever stands beside it, and they are added along the tree") {
  const nn::Dropout dropout(0.2, 1, 1);
  for (const bool large : {false, true}) {
    CAPTURE(large);
    const Example example = random_example(large);
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
}

TEST_CASE("offsets kept apart give what inputs with the offsets added give") {
  for (const bool large : {false, true}) {
    CAPTURE(large);
    const Example apart = random_example(large);
    Example added = apart;
    for (std::size_t i = 0; i < added.rows.size(); ++i) added.rows[i] += apart.offsets[i % apart.offsets.size()];
    added.offsets.clear();
    std::vector<float> expected;
    std::vector<float> gradient;
    const double loss = mean_loss(added, kNoDropout, &expected);
    CHECK(mean_loss(apart, kNoDropout, &gradient) == doctest::Approx(loss).epsilon(1e-5));
    const float largest = std::fabs(*std::ranges::max_element(expected));
    CHECK(largest_difference(gradient, expected) < 1e-5 * largest);
    // Without the offsets it would be something else, so this test can fail.
    Example without = apart;
    without.offsets.clear();
    CHECK(mean_loss(without, kNoDropout, &gradient) != doctest::Approx(loss).epsilon(1e-3));
  }
}

TEST_CASE("the padding of parameters stays zero and is in no file") {
  const nn::Architecture architecture{3, {5}, 2, 0.1F};
  std::vector<float> values(nn::parameter_count(architecture));
  std::iota(values.begin(), values.end(), 1.0F);
  const std::vector<float> in_memory = nn::with_padding(architecture, values);
  CHECK(in_memory.size() == (3 + 1) * 16 + (5 + 1) * 16);
  CHECK(std::count(in_memory.begin(), in_memory.end(), 0.0F) == static_cast<long>(in_memory.size() - values.size()));
  CHECK(nn::without_padding(architecture, in_memory) == values);
}

TEST_CASE("a dropout mask depends on seed, epoch, row and layer, and on nothing else") {
  const auto mask = [](std::uint64_t seed, std::uint32_t epoch, std::uint64_t row, std::size_t layer) {
    std::vector<float> scales(300);
    nn::Dropout(0.2, seed, epoch).draw(std::span(&row, 1), layer, {scales.data(), 1, scales.size()});
    return scales;
  };
  const std::vector<float> base = mask(1, 2, 3, 0);
  CHECK(mask(1, 2, 3, 0) == base);
  CHECK(mask(2, 2, 3, 0) != base);
  CHECK(mask(1, 3, 3, 0) != base);
  CHECK(mask(1, 2, 4, 0) != base);
  CHECK(mask(1, 2, 3, 1) != base);
  // A longer layer begins with the same mask: the key does not depend on the size.
  // The rows beside it do not count either.
  const std::vector<std::uint64_t> rows = {9, 3, 4};
  std::vector<float> longer(3 * 5000);
  nn::Dropout(0.2, 1, 2).draw(rows, 0, {longer.data(), 3, 5000});
  CHECK(std::equal(base.begin(), base.end(), longer.begin() + 5000));
}

// These numbers were computed from the definition with another implementation of Philox4x32-10. They fail when the key
// of a mask is put together in another way, which would change every model.
TEST_CASE("the mask of a known row") {
  std::vector<float> scales(16);
  const std::uint64_t row = 3;
  nn::Dropout(0.5, 1, 2).draw(std::span(&row, 1), 1, {scales.data(), 1, scales.size()});
  std::string kept;
  for (const float scale : scales) kept += scale == 0.0F ? '.' : 'x';
  CHECK(kept == ".x..xxx......x..");
}

TEST_CASE("dropout drops its share and keeps the expectation") {
  std::vector<float> scales(1000);
  double sum = 0;
  std::size_t dropped = 0;
  for (std::uint64_t row = 0; row < 1000; ++row) {
    nn::Dropout(0.2, 7, 1).draw(std::span(&row, 1), 0, {scales.data(), 1, scales.size()});
    for (const float scale : scales) {
      sum += scale;
      if (scale == 0.0F) ++dropped;
    }
  }
  // The standard deviation of the share over 10^6 units is 0.0004.
  CHECK(static_cast<double>(dropped) / 1e6 == doctest::Approx(0.2).epsilon(0.01));
  CHECK(sum / 1e6 == doctest::Approx(1.0).epsilon(0.0025));
}

TEST_CASE("initial weights have He's variance and biases are zero") {
  const nn::Network network({784, {100, 100, 100}, 10, 0.1F});
  CHECK(nn::parameter_count(network.architecture()) == 99710);
  CHECK(network.architecture().description() == "784-100-100-100-10");
  std::vector<float> parameters(network.padded_size(), 9.0F);
  network.initialize(parameters, 1);
  for (const nn::Layer& layer : network.layers()) {
    double squares = 0;
    for (const float weight : layer.weights.of(std::span(parameters))) squares += double{weight} * double{weight};
    CHECK(squares / static_cast<double>(layer.inputs * layer.outputs) ==
          doctest::Approx(2.0 / static_cast<double>(layer.inputs)).epsilon(0.1));
    for (const float bias : layer.biases.of(std::span(parameters))) CHECK(bias == 0.0F);
  }
  std::vector<float> other(parameters.size());
  network.initialize(other, 2);
  CHECK(other != parameters);
}

TEST_CASE("softmax stays finite for huge logits") {
  std::vector<float> values = {1e4F, 0.0F, -1e4F};
  const std::vector<std::int32_t> labels = {1};
  const double loss = nn::softmax_cross_entropy({values.data(), 1, 3}, labels, 1.0F);
  CHECK(loss == doctest::Approx(1e4));
  CHECK(values[0] == 1.0F);
  CHECK(values[1] == -1.0F);
  CHECK(values[2] == 0.0F);
}
