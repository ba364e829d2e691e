#include "mnist_dist/nn/activations.hpp"

namespace mnist_dist::nn {
namespace {

/// Floats from one row to the next. Rows that lie a multiple of 1 KB apart would meet in the same few lines of a cache.
std::size_t row_stride(std::size_t columns) {
  return columns % 256 == 0 ? columns + 16 : columns;
}

}  // namespace

/// Hands out pieces of a memory, one after the other; only counts where there is none.
class Activations::Pieces {
 public:
  explicit Pieces(float* first) : first_(first) {}

  float* take(std::size_t floats) {
    float* piece = first_ == nullptr ? nullptr : first_ + taken_;
    taken_ += padded(floats);
    return piece;
  }
  MatrixView<float> take_matrix(std::size_t rows, std::size_t columns) {
    const std::size_t stride = row_stride(padded(columns));
    return {take(rows * stride), rows, columns, stride};
  }
  [[nodiscard]] std::size_t taken() const { return taken_; }

 private:
  float* first_;
  std::size_t taken_ = 0;
};

void Activations::lay_out(const Architecture& architecture, std::size_t max_rows, std::size_t max_microbatches,
                          Pieces& pieces) {
  inputs = pieces.take_matrix(max_rows, architecture.inputs);
  const std::size_t chunks = (max_rows + InputActivity::kRowsOfChunk - 1) / InputActivity::kRowsOfChunk;
  activity.groups = padded(architecture.inputs) / InputActivity::kInputsOfGroup;
  activity.words = reinterpret_cast<std::uint64_t*>(pieces.take(chunks * activity.groups * 2));
  const std::vector<Layer> all_layers = layers_of(architecture);
  for (std::size_t segment = 1; segment < kMaxSegments; ++segment) {
    segment_sums.push_back(pieces.take_matrix(max_rows, all_layers.front().columns));
  }
  for (const Layer& layer : all_layers) {
    const bool is_last = layers.size() == architecture.hidden.size();
    LayerViews& views = layers.emplace_back();
    views.outputs = pieces.take_matrix(max_rows, layer.columns);
    views.deltas = is_last ? views.outputs : pieces.take_matrix(max_rows, layer.columns);
    views.delta_sums = pieces.take_matrix(max_microbatches, layer.columns);
  }
}

Activations::Activations(const Architecture& architecture, std::size_t max_rows, std::size_t max_microbatches,
                         std::span<float> memory) {
  Pieces pieces(memory.data());
  lay_out(architecture, max_rows, max_microbatches, pieces);
}

std::size_t Activations::memory_size(const Architecture& architecture, std::size_t max_rows,
                                     std::size_t max_microbatches) {
  Pieces pieces(nullptr);
  Activations().lay_out(architecture, max_rows, max_microbatches, pieces);
  return pieces.taken();
}

}  // namespace mnist_dist::nn
