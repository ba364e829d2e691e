// What the passes leave behind about some rows: all that the gradient of any parameter is made of. Local.
//
// The gradient of a layer's weights is inputs^T deltas over the rows, so whoever can read these matrices can form the
// gradient of whatever parameters it likes. That is why they may lie in memory that ranks share.
//
// Where ranks share them, a step goes like this, and all wait for each other between its parts: the owner of the rows
// writes inputs and activity; whoever multiplies a segment of them reads these and writes one place of the first layer's
// outputs or of segment_sums; the owner alone reads and writes everything; all read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mnist_dist/core/matrix_view.hpp"
#include "mnist_dist/nn/architecture.hpp"

namespace mnist_dist::nn {

/// Which inputs of which rows are not zero. Word g of chunk c has bit r set when row 64 c + r has a non-zero among its
/// inputs 4 g ... 4 g + 3.
struct InputActivity {
  static constexpr std::size_t kRowsOfChunk = 64;
  static constexpr std::size_t kInputsOfGroup = 4;

  std::uint64_t* words = nullptr;  ///< [chunks x groups]
  std::size_t groups = 0;

  [[nodiscard]] std::uint64_t* chunk(std::size_t index) const { return words + index * groups; }
};

/// The most segments into which the inputs are divided for the first layer's product.
inline constexpr std::size_t kMaxSegments = 4;

/// Views of memory that somebody else owns. Rows are padded with zeros to whole vectors, as the layers' weights are.
class Activations {
 public:
  /// @param memory [memory_size(...)], at a multiple of 64 bytes, all zero at first  @param max_microbatches into how
  /// many microbatches the rows may be divided
  Activations(const Architecture& architecture, std::size_t max_rows, std::size_t max_microbatches,
              std::span<float> memory);
  [[nodiscard]] static std::size_t memory_size(const Architecture& architecture, std::size_t max_rows,
                                               std::size_t max_microbatches);

  struct LayerViews {
    MatrixView<float> outputs;     ///< [max_rows x columns] after activation and dropout; the last layer's: logits
    MatrixView<float> deltas;      ///< [max_rows x columns] d loss / d pre-activation; the last layer's: in `outputs`
    MatrixView<float> delta_sums;  ///< [max_microbatches x columns] the deltas' sums: the gradients of the biases
  };

  MatrixView<float> inputs;  ///< [max_rows x inputs] what the caller puts in
  InputActivity activity;    ///< of the inputs
  /// [kMaxSegments - 1] of [max_rows x columns of the first layer]: the first layer's product over some segments of the
  /// inputs, in the place of the first of them less one. What begins with segment 0 is in the layer's outputs.
  std::vector<MatrixView<float>> segment_sums;
  std::vector<LayerViews> layers;  ///< first to last

 private:
  Activations() = default;
  class Pieces;
  void lay_out(const Architecture& architecture, std::size_t max_rows, std::size_t max_microbatches, Pieces& pieces);
};

}  // namespace mnist_dist::nn
