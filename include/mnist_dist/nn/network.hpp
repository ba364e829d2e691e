// The multilayer perceptron's forward and backward pass. Local: layers know nothing of ranks.
//
// A row's values depend on the shape of the whole batch in their last bits (BLAS chooses its kernels by
// shape), so whoever wants equal bits passes equal shapes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mnist_dist/core/matrix_view.hpp"
#include "mnist_dist/nn/architecture.hpp"
#include "mnist_dist/nn/dropout.hpp"

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
  struct LayerBuffers {
    std::vector<float> outputs;       // [max_rows x outputs]: after activation and dropout; the last layer: logits
    std::vector<float> output_scale;  // [max_rows x outputs]: d output / d pre-activation (hidden layers)
    std::vector<float> gradient;      // [max_rows x outputs]: d loss / d output, then d loss / d pre-activation
  };
  std::size_t max_rows_;
  std::size_t rows_ = 0;  // of the last forward pass
  std::size_t outputs_;
  std::vector<LayerBuffers> layers_;
};

/// The passes over given parameters; holds no parameters of its own.
class Network {
 public:
  explicit Network(const Architecture& architecture);

  [[nodiscard]] const Architecture& architecture() const { return architecture_; }
  [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }
  [[nodiscard]] std::size_t parameter_count() const { return layers_.back().biases.end; }

  /// He initialisation, uniform: weights in +-sqrt(6 / inputs), so that their variance is 2 / inputs (He et
  /// al. 2015, eq. 10); biases 0. @param parameters [parameter_count()]
  void initialize(std::span<float> parameters, std::uint64_t seed) const;

  /// Prediction: no dropout. @param rows [rows x inputs], at most activations.max_rows()
  /// @return the logits [rows x outputs], valid until the next pass over `activations`
  MatrixView<const float> predict(std::span<const float> parameters, const MatrixView<const float>& rows,
                                  Activations& activations) const;

  /// Training: leaves in `activations` what backward() needs; the logits are activations.logits().
  /// @param row_ids [rows]: the rows' numbers in the training set, which name their dropout masks
  void forward(std::span<const float> parameters, const MatrixView<const float>& rows,
               std::span<const std::uint64_t> row_ids, const Dropout& dropout, Activations& activations) const;

  /// After forward() over the same rows, and once activations.logits() has been overwritten with the gradient
  /// of the loss with respect to them: writes the gradient of the loss with respect to every parameter.
  /// @param gradient [parameter_count()], overwritten
  void backward(std::span<const float> parameters, const MatrixView<const float>& rows, Activations& activations,
                std::span<float> gradient) const;

 private:
  MatrixView<const float> weights(std::span<const float> parameters, const Layer& layer) const;

  Architecture architecture_;
  std::vector<Layer> layers_;
};

}  // namespace mnist_dist::nn
