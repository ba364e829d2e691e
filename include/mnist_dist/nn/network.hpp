// The multilayer perceptron's forward and backward pass. Local: layers know nothing of ranks.
//
// In training, a row's bits depend on its microbatch alone, and a microbatch's gradient on nothing beside it: layers whose
// weights fit a core's cache take all rows through kernels of our own, which guarantee that; larger ones take each
// microbatch through BLAS by itself. In prediction, large layers make a row's last bits depend on how many rows go
// together, so whoever wants equal bits passes equal shapes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mnist_dist/core/matrix_view.hpp"
#include "mnist_dist/nn/architecture.hpp"
#include "mnist_dist/nn/dropout.hpp"
#include "mnist_dist/nn/microbatches.hpp"

namespace mnist_dist::nn {

/// What one forward pass leaves for the backward pass; used again from step to step. One user at a time.
class Activations {
 public:
  Activations(const Architecture& architecture, std::size_t max_rows);
  [[nodiscard]] std::size_t max_rows() const { return max_rows_; }
  /// The last layer's output [rows x outputs], and the place where the loss writes its gradient.
  [[nodiscard]] MatrixView<float> logits();

 private:
  friend class Network;
  // Rows are padded as the layer's weights are, with zeros.
  struct LayerBuffers {
    std::vector<float> outputs;       // [max_rows x columns]: after activation and dropout; the last layer: logits
    std::vector<float> output_scale;  // [max_rows x columns]: d output / d pre-activation (hidden layers)
    std::vector<float> gradient;      // [max_rows x columns]: d loss / d output, then d loss / d pre-activation
    std::vector<float> transposed;    // [outputs x padded(inputs)]: the weights', where the backward pass wants them
  };
  std::size_t max_rows_;
  std::size_t rows_ = 0;  // of the last forward pass
  std::size_t outputs_;
  std::vector<LayerBuffers> layers_;
  std::vector<float> ones_;  // [max_rows]
};

/// The passes over given parameters; holds no parameters of its own.
class Network {
 public:
  explicit Network(const Architecture& architecture);

  [[nodiscard]] const Architecture& architecture() const { return architecture_; }
  [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }
  /// Floats of a parameter vector in memory. Every vector of parameters or gradients below has this size.
  [[nodiscard]] std::size_t padded_size() const { return layers_.back().biases.end; }

  /// He initialisation, uniform: weights in +-sqrt(6 / inputs), so that their variance is 2 / inputs (He et
  /// al. 2015, eq. 10); biases and padding 0. @param parameters [padded_size()]
  void initialize(std::span<float> parameters, std::uint64_t seed) const;

  /// Prediction: no dropout. @param rows [rows x inputs], at most activations.max_rows()
  /// @return the logits [rows x outputs], valid until the next pass over `activations`
  MatrixView<const float> predict(std::span<const float> parameters, const MatrixView<const float>& rows,
                                  Activations& activations) const;

  /// Training: leaves in `activations` what backward() needs; the logits are activations.logits().
  /// @param rows [rows x inputs]: the microbatches, one after the other
  /// @param row_ids [rows]: the rows' numbers in the training set, which name their dropout masks
  void forward(std::span<const float> parameters, const MatrixView<const float>& rows,
               std::span<const std::uint64_t> row_ids, const Microbatches& microbatches, const Dropout& dropout,
               Activations& activations) const;

  /// After forward() over the same rows, and once activations.logits() has been overwritten with the gradient of the
  /// loss with respect to them: writes the sums of the microbatches' gradients with respect to every parameter.
  /// @param gradients a vector for each result of `microbatches`, overwritten
  void backward(std::span<const float> parameters, const MatrixView<const float>& rows,
                const Microbatches& microbatches, Activations& activations, std::span<float* const> gradients) const;

 private:
  MatrixView<const float> weights(std::span<const float> parameters, const Layer& layer) const;

  Architecture architecture_;
  std::vector<Layer> layers_;
};

}  // namespace mnist_dist::nn
