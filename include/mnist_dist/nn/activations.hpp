// What the passes leave behind about some rows: all that the gradient of any parameter is made of. Local.
//
// The gradient of a layer's weights is inputs^T deltas over the rows, so whoever can read these matrices can form the
// gradient of whatever parameters it likes. That is why they may lie in memory that ranks share: the owner of the rows
// writes them; once it is done, all may read.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "mnist_dist/core/matrix_view.hpp"
#include "mnist_dist/nn/architecture.hpp"
#include "mnist_dist/nn/pixel_lists.hpp"

namespace mnist_dist::nn {

/// Views of memory that somebody else owns. Rows are padded with zeros to whole vectors, as the layers' weights are.
class Activations {
 public:
  /// Of nothing.
  Activations() = default;
  /// @param memory [memory_size(...)], at a multiple of 64 bytes, all zero at first  @param max_microbatches into how
  /// many microbatches the rows may be divided
  Activations(const Architecture& architecture, std::size_t max_rows, std::size_t max_microbatches,
              std::span<float> memory);
  [[nodiscard]] static std::size_t memory_size(const Architecture& architecture, std::size_t max_rows,
                                               std::size_t max_microbatches);

  // Packed: what gradients of some rows are made of, without gaps, to be sent elsewhere.

  /// @param entries of the lists of pixels
  [[nodiscard]] static std::size_t packed_size(const Architecture& architecture, std::size_t rows,
                                               std::size_t microbatches, std::size_t entries);
  /// Writes the first rows and microbatches. @param bytes [packed_size()], at a multiple of 64
  void pack(const Architecture& architecture, std::size_t rows, std::size_t microbatches,
            std::span<std::byte> bytes) const;
  /// Views of what pack() wrote, made with the same numbers. Nothing is copied.
  [[nodiscard]] static Activations packed(const Architecture& architecture, std::size_t rows, std::size_t microbatches,
                                          std::span<std::byte> bytes);

  struct LayerViews {
    MatrixView<float> outputs;     ///< [max_rows x columns] after activation and dropout; the last layer's: logits;
                                   ///< packed: [rows x units]
    MatrixView<float> deltas;      ///< [max_rows x columns] d loss / d pre-activation; the last layer's: in `outputs`
    MatrixView<float> delta_sums;  ///< [max_microbatches x columns] the deltas' sums: the gradients of the biases
  };

  PixelLists pixels;               ///< the first layer's inputs
  std::vector<LayerViews> layers;  ///< first to last

 private:
  class Pieces;
  void lay_out(const Architecture& architecture, std::size_t max_rows, std::size_t max_microbatches, Pieces& pieces);
  /// @param entries of the lists of pixels; where there is none, as many as the lists in the pieces have
  void lay_out_packed(const Architecture& architecture, std::size_t rows, std::size_t microbatches,
                      std::optional<std::size_t> entries, Pieces& pieces);
};

}  // namespace mnist_dist::nn
