#include "workspace.hpp"

#include <utility>

namespace mnist_dist::nn {

Workspace::State::State(const Architecture& architecture, std::size_t most_rows, Activations views)
    : outputs(architecture.outputs), activations(std::move(views)) {
  for (const Layer& layer : layers_of(architecture)) output_scales.emplace_back(most_rows * layer.columns);
  segment_starts.resize(kMaxSegments * layers_of(architecture).front().columns);
  transposed_weights.resize(output_scales.size());
}

Workspace::Workspace(const Architecture& architecture, std::size_t max_rows) {
  AlignedVector<float> memory(Activations::memory_size(architecture, max_rows, max_rows));
  const Activations activations(architecture, max_rows, max_rows, memory);
  state_ = std::make_unique<State>(architecture, max_rows, activations);
  state_->memory = std::move(memory);  // a vector keeps its place when it is moved
}

Workspace::Workspace(const Architecture& architecture, std::size_t max_rows, Activations activations)
    : state_(std::make_unique<State>(architecture, max_rows, std::move(activations))) {}

Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;
Workspace::~Workspace() = default;

MatrixView<float> Workspace::inputs() {
  return state_->activations.inputs;
}

MatrixView<float> Workspace::logits() {
  MatrixView<float> logits = state_->activations.layers.back().outputs.first_rows(state_->rows);
  logits.columns = state_->outputs;
  return logits;
}

const Activations& Workspace::activations() const {
  return state_->activations;
}

}  // namespace mnist_dist::nn
