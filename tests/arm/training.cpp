// Some steps of trainings: all of layer nn together, with dropout, the loss and an optimiser.
#include <fmt/format.h>

#include <vector>

#include "bits.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/nn/softmax_cross_entropy.hpp"
#include "mnist_dist/optim/optimizer.hpp"

using namespace mnist_dist;

namespace {

constexpr std::size_t kRows = 41;
constexpr std::size_t kMicrobatches = 4;

/// Random rows, most of their pixels black, and how they are divided.
struct Batch {
  std::vector<std::uint8_t> pixels;
  std::vector<const std::uint8_t*> rows;
  std::vector<std::uint64_t> ids;
  std::vector<std::int32_t> labels;
  std::vector<std::size_t> microbatch_rows;

  explicit Batch(const nn::Architecture& architecture) : pixels(kRows * architecture.inputs) {
    RandomStream stream({.seed = 7, .purpose = Purpose::shuffle, .epoch = 0, .id = 16});
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(stream.below(4) == 0 ? stream.below(256) : 0);
    for (std::size_t row = 0; row < kRows; ++row) {
      rows.push_back(pixels.data() + row * architecture.inputs);
      ids.push_back(1000 + row);
      labels.push_back(static_cast<std::int32_t>(row % architecture.outputs));
    }
    std::size_t first = 0;
    for (const std::size_t end : microbatch_ends(kRows, kMicrobatches)) {
      microbatch_rows.push_back(end - first);
      first = end;
    }
  }
};

nn::Network network_of(const nn::Architecture& architecture) {
  nn::InputScaling scaling;
  for (const float number : random_floats(architecture.inputs, 17)) {
    scaling.mean.push_back(60 + 60 * number);
    scaling.scale.push_back(0.012F + 0.008F * number);
  }
  return {architecture, scaling, nn::Products::kernels};
}

void update(const nn::Network& network, const nn::Workspace& workspace, const Batch& batch,
            const optim::StepSettings& step, std::span<float> parameters, std::span<Floats, 2> moments) {
  std::vector<nn::Microbatch> microbatches;
  std::size_t first = 0;
  for (const std::size_t rows : batch.microbatch_rows) {
    microbatches.push_back({&workspace.activations(), microbatches.size(), first, rows});
    first += rows;
  }
  const std::vector<std::uint8_t> merges = {0, 1, 0, 2};
  for (const ParameterRange& block : network.blocks()) {
    const std::span<float> updated = block.of(parameters);
    Floats gradient(block.size());
    network.gradient(block, {microbatches, merges}, gradient.data());
    network.scale_gradient(block, gradient);
    optim::optimizer_step({}, step, gradient, block.of(std::span(moments[0])), block.of(std::span(moments[1])),
                          updated);
  }
}

void print_training(const nn::Architecture& architecture) {
  const Batch batch(architecture);
  const nn::Network network = network_of(architecture);
  nn::Workspace workspace(architecture, kRows);
  Floats parameters(network.padded_size());
  network.initialize(parameters, 1);
  Floats moments[2] = {Floats(parameters.size()), Floats(parameters.size())};
  for (std::uint32_t step = 1; step <= 5; ++step) {
    network.load(batch.rows, batch.microbatch_rows, workspace);
    network.forward(parameters, batch.ids, nn::Dropout(0.2, 1, step), workspace);
    nn::softmax_cross_entropy(workspace.logits(), batch.labels, 1.0F / kRows);
    network.backward(parameters, workspace);
    update(network, workspace, batch, {.step = step, .learning_rate = 0.01}, parameters, moments);
  }
  const std::string name = fmt::format("{}, {}", architecture.description(), architecture.activation_description());
  Bits().add(parameters).add(moments[0]).add(moments[1]).print("training of " + name);
  network.load(batch.rows, batch.microbatch_rows, workspace);
  network.predict(parameters, workspace);
  Bits bits;
  for (std::size_t row = 0; row < kRows; ++row) bits.add(std::span<const float>(workspace.logits().row(row)));
  bits.print("prediction of " + name);
}

}  // namespace

void print_trainings() {
  for (const auto& [activation, name] : nn::kActivations) {
    print_training({.inputs = 157, .hidden = {51, 33}, .outputs = 5, .activation = activation});
  }
  print_training({.inputs = 402, .hidden = {600, 300}, .outputs = 10});  // layers for which weights are packed
}
