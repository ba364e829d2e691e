#include "mnist_dist/nn/activations.hpp"

#include <algorithm>
#include <cstdint>

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
  std::uint32_t* take_integers(std::size_t count) {
    static_assert(sizeof(std::uint32_t) == sizeof(float));
    return reinterpret_cast<std::uint32_t*>(take(count));
  }
  MatrixView<float> take_matrix(std::size_t rows, std::size_t columns) {
    return take_matrix(rows, columns, row_stride(padded(columns)));
  }
  MatrixView<float> take_matrix(std::size_t rows, std::size_t columns, std::size_t stride) {
    return {take(rows * stride), rows, columns, stride};
  }
  [[nodiscard]] std::size_t taken() const { return taken_; }

 private:
  float* first_;
  std::size_t taken_ = 0;
};

void Activations::lay_out(const Architecture& architecture, std::size_t max_rows, std::size_t max_microbatches,
                          Pieces& pieces) {
  pixels.groups = PixelLists::groups_of(architecture.inputs);
  pixels.begins = pieces.take_integers(pixels.groups + 1);
  pixels.rows = pieces.take_integers(max_rows * pixels.groups + PixelLists::kPadding);
  pixels.pixels = pieces.take_integers(max_rows * pixels.groups + PixelLists::kPadding);
  for (const Layer& layer : layers_of(architecture)) {
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

void Activations::lay_out_packed(const Architecture& architecture, std::size_t rows, std::size_t microbatches,
                                 std::optional<std::size_t> entries, Pieces& pieces) {
  pixels.groups = PixelLists::groups_of(architecture.inputs);
  pixels.begins = pieces.take_integers(pixels.groups + 1);
  const std::size_t count = entries ? *entries : pixels.begins[pixels.groups];
  pixels.rows = pieces.take_integers(count);
  pixels.pixels = pieces.take_integers(count);  // what may be read past the last entry is the deltas that follow
  for (const Layer& layer : layers_of(architecture)) {
    const bool is_last = layers.size() == architecture.hidden.size();
    LayerViews& views = layers.emplace_back();
    // Outputs are read one by one, deltas by whole vectors.
    if (!is_last) views.outputs = pieces.take_matrix(rows, layer.outputs, layer.outputs);
    views.deltas = pieces.take_matrix(rows, layer.columns);
    views.delta_sums = pieces.take_matrix(microbatches, layer.columns);
  }
}

std::size_t Activations::packed_size(const Architecture& architecture, std::size_t rows, std::size_t microbatches,
                                     std::size_t entries) {
  Pieces pieces(nullptr);
  Activations().lay_out_packed(architecture, rows, microbatches, entries, pieces);
  return pieces.taken() * sizeof(float);
}

Activations Activations::packed(const Architecture& architecture, std::size_t rows, std::size_t microbatches,
                                std::span<std::byte> bytes) {
  Pieces pieces(reinterpret_cast<float*>(bytes.data()));
  Activations views;
  views.lay_out_packed(architecture, rows, microbatches, std::nullopt, pieces);
  return views;
}

void Activations::pack(const Architecture& architecture, std::size_t rows, std::size_t microbatches,
                       std::span<std::byte> bytes) const {
  Pieces pieces(reinterpret_cast<float*>(bytes.data()));
  const std::size_t entries = pixels.begins[pixels.groups];
  Activations to;
  to.lay_out_packed(architecture, rows, microbatches, entries, pieces);
  std::copy_n(pixels.begins, pixels.groups + 1, to.pixels.begins);
  std::copy_n(pixels.rows, entries, to.pixels.rows);
  std::copy_n(pixels.pixels, entries, to.pixels.pixels);
  const auto copy = [](const MatrixView<float>& from, const MatrixView<float>& packed) {
    for (std::size_t row = 0; row < packed.rows; ++row)
      std::ranges::copy(from.row(row).first(packed.columns), packed.row(row).begin());
  };
  for (std::size_t i = 0; i < layers.size(); ++i) {
    copy(layers[i].outputs, to.layers[i].outputs);
    copy(layers[i].deltas, to.layers[i].deltas);
    copy(layers[i].delta_sums, to.layers[i].delta_sums);
  }
}

}  // namespace mnist_dist::nn
