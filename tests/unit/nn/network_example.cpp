#include "network_example.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>

#include "float_comparison.hpp"
#include "mnist_dist/core/random.hpp"
#include "mnist_dist/core/sum_tree.hpp"
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

/// The microbatches of each sum that merges leave.
std::vector<LeafBlock> sums_of(const std::vector<std::uint8_t>& merges) {
  std::vector<LeafBlock> sums;
  for (std::size_t i = 0; i < merges.size(); ++i) {
    std::size_t begin = i;
    for (std::uint8_t merge = 0; merge < merges[i]; ++merge) {
      begin = sums.back().begin;
      sums.pop_back();
    }
    sums.push_back({begin, i + 1});
  }
  return sums;
}

std::vector<ParameterRange> grains_of(const nn::Network& network) {
  std::vector<ParameterRange> grains;
  for (const ParameterRange& block : network.blocks()) {
    for (std::size_t begin = block.begin; begin < block.end; begin += network.grain(block)) {
      grains.push_back({begin, std::min(begin + network.grain(block), block.end)});
    }
  }
  return grains;
}

/// The sums that microbatches leave, without the inputs' scale, put together from those of the parts. [padded size]
/// each
std::vector<std::vector<float>> gradients_of(const nn::Network& network, const nn::Activations& activations,
                                             const Division& division, const std::vector<ParameterRange>& parts) {
  std::vector<nn::Microbatch> microbatches;
  std::size_t first = 0;
  for (std::size_t i = 0; i < division.rows.size(); first += division.rows[i++]) {
    microbatches.push_back({&activations, i, first, division.rows[i]});
  }
  std::vector<std::vector<float>> gradients;
  for (const LeafBlock& summed : sums_of(division.merges)) {
    std::vector<float>& gradient = gradients.emplace_back(network.padded_size(), -1.0F);
    for (const ParameterRange& part : parts) {
      const std::span<float> sum = part.of(std::span(gradient));
      network.gradient(part,
                       {std::span(microbatches).subspan(summed.begin, summed.size()),
                        std::span(division.merges).subspan(summed.begin, summed.size())},
                       sum.data());
    }
  }
  return gradients;
}

/// The same by grains, from activations that were packed, to be sent elsewhere.
std::vector<std::vector<float>> gradients_of_packed(const nn::Network& network, const nn::Activations& activations,
                                                    const Division& division) {
  const nn::Architecture& architecture = network.architecture();
  const std::size_t rows = std::accumulate(division.rows.begin(), division.rows.end(), std::size_t{0});
  const std::size_t entries = activations.pixels.begins[activations.pixels.groups];
  constexpr std::size_t kBehind = 64;
  const std::size_t size = nn::Activations::packed_size(architecture, rows, division.rows.size(), entries);
  AlignedVector<std::byte> bytes(size + kBehind, std::byte{0xff});  // not numbers
  activations.pack(architecture, rows, division.rows.size(), std::span(bytes).first(size));
  CHECK(std::ranges::count(std::span(bytes).last(kBehind), std::byte{0xff}) == kBehind);
  return gradients_of(network,
                      nn::Activations::packed(architecture, rows, division.rows.size(), std::span(bytes).first(size)),
                      division, grains_of(network));
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
  const auto sizes = json.at("sizes").get<std::vector<std::size_t>>();
  const std::size_t rows = json.at("x").size();
  Example example;
  example.architecture = {rows, {sizes.begin() + 1, sizes.end() - 1}, sizes.back(), json.at("leak")};
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t unit = 0; unit < sizes[1]; ++unit) {
      double product = 0;
      for (std::size_t i = 0; i < sizes[0]; ++i) {
        product += json.at("x")[row][i].get<double>() * json.at("weights")[0][i][unit].get<double>();
      }
      example.parameters.push_back(static_cast<float>(product));
    }
  }
  const std::vector<float> all = interleaved(json.at("weights"), json.at("biases"));
  example.parameters.insert(example.parameters.end(), all.begin() + static_cast<std::ptrdiff_t>(sizes[0] * sizes[1]),
                            all.end());
  example.scaling = {std::vector<float>(rows, 0.0F), std::vector<float>(rows, 1.0F)};
  example.pixels.resize(rows * rows);
  for (std::size_t row = 0; row < rows; ++row) example.pixels[row * rows + row] = 1;
  example.labels = json.at("labels").get<std::vector<std::int32_t>>();
  example.row_ids.resize(rows);
  std::iota(example.row_ids.begin(), example.row_ids.end(), 100U);
  return example;
}

std::vector<float> as_gradient_of_reference(const Example& example, const std::vector<float>& gradient) {
  const nlohmann::json x = reference("mlp.json").at("x");
  const std::size_t units = example.architecture.hidden.front();
  std::vector<float> result;
  for (std::size_t i = 0; i < x[0].size(); ++i) {
    for (std::size_t unit = 0; unit < units; ++unit) {
      double product = 0;
      for (std::size_t row = 0; row < x.size(); ++row)
        product += x[row][i].get<double>() * gradient[row * units + unit];
      result.push_back(static_cast<float>(product));
    }
  }
  result.insert(result.end(), gradient.begin() + static_cast<std::ptrdiff_t>(x.size() * units), gradient.end());
  return result;
}

Example random_example(bool large) {
  Example example;
  example.architecture = {large ? 402U : 37U, {large ? 400U : 51U, 33U}, 5};
  example.parameters.resize(nn::parameter_count(example.architecture));
  RandomStream stream({.seed = 3, .purpose = Purpose::shuffle, .epoch = 0, .id = 0});
  for (float& parameter : example.parameters) parameter = stream.uniform(-0.5F, 0.5F);
  for (std::size_t i = 0; i < example.architecture.inputs; ++i) {
    example.scaling.mean.push_back(stream.uniform(0, 120));
    example.scaling.scale.push_back(i % 10 == 9 ? 0.0F : stream.uniform(0.005F, 0.02F));
  }
  for (std::uint64_t row = 0; row < 41; ++row) {
    // Many pixels are black, alone and in groups, in some rows or in all.
    for (std::size_t i = 0; i < example.architecture.inputs; ++i) {
      const bool black = i % 11 < 5 || (i + row) % 3 == 0 || stream.below(3) == 0;
      example.pixels.push_back(black ? 0 : static_cast<std::uint8_t>(stream.below(256)));
    }
    example.labels.push_back(static_cast<std::int32_t>(stream.below(5)));
    example.row_ids.push_back(1000 + row);
  }
  return example;
}

void load_rows(const Example& example, const nn::Network& network, std::size_t first,
               std::span<const std::size_t> microbatch_rows, nn::Workspace& workspace) {
  const std::size_t count = std::accumulate(microbatch_rows.begin(), microbatch_rows.end(), std::size_t{0});
  std::vector<const std::uint8_t*> rows;
  for (std::size_t row = first; row < first + count; ++row) {
    rows.push_back(example.pixels.data() + row * example.architecture.inputs);
  }
  network.load(rows, microbatch_rows, workspace);
}

double loss_of(const Example& example, std::size_t first, const Division& division, const nn::Dropout& dropout,
               std::size_t results, std::vector<std::vector<float>>* gradients) {
  const nn::Network network(example.architecture, example.scaling);
  const std::size_t rows = std::accumulate(division.rows.begin(), division.rows.end(), std::size_t{0});
  nn::Workspace workspace(example.architecture, example.labels.size());
  const std::vector<float> parameters = nn::with_padding(example.architecture, example.parameters);
  load_rows(example, network, first, division.rows, workspace);
  network.forward(parameters, std::span(example.row_ids).subspan(first, rows), dropout, workspace);
  const double loss = nn::softmax_cross_entropy(workspace.logits(), std::span(example.labels).subspan(first, rows),
                                                1.0F / static_cast<float>(example.labels.size()));
  if (gradients != nullptr) {
    network.backward(parameters, workspace);
    *gradients = gradients_of(network, workspace.activations(), division, network.blocks());
    REQUIRE(gradients->size() == results);
    CHECK(*gradients == gradients_of_packed(network, workspace.activations(), division));
  }
  return loss;
}

double mean_loss(const Example& example, const nn::Dropout& dropout, std::vector<float>* gradient) {
  std::vector<std::vector<float>> gradients;
  const Division whole{{example.labels.size()}, {0}};
  const double loss = loss_of(example, 0, whole, dropout, 1, gradient != nullptr ? &gradients : nullptr);
  if (gradient != nullptr) {
    const nn::Network network(example.architecture, example.scaling);
    for (const ParameterRange& block : network.blocks()) {
      network.scale_gradient(block, block.of(std::span(gradients.front())));
    }
    *gradient = nn::without_padding(example.architecture, gradients.front());
  }
  return loss / static_cast<double>(example.labels.size());
}

std::vector<float> predicted_logits(const Example& example) {
  const nn::Network network(example.architecture, example.scaling);
  nn::Workspace workspace(example.architecture, example.labels.size());
  load_rows(example, network, 0, std::vector{example.labels.size()}, workspace);
  network.predict(nn::with_padding(example.architecture, example.parameters), workspace);
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
