// The multilayer perceptron's forward and backward pass, and the gradient of its parameters. Local: layers know nothing
// of ranks.
//
// A row's bits depend at most on its microbatch's number of rows, and a microbatch's gradient on nothing beside it,
// whoever computes the products.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "mnist_dist/core/aligned_vector.hpp"
#include "mnist_dist/core/matrix_view.hpp"
#include "mnist_dist/core/parameter_range.hpp"
#include "mnist_dist/nn/activations.hpp"
#include "mnist_dist/nn/architecture.hpp"
#include "mnist_dist/nn/arithmetic.hpp"
#include "mnist_dist/nn/dropout.hpp"

namespace mnist_dist::nn {

/// What the passes over some rows need; used again from step to step. One user at a time.
class Workspace {
 public:
  /// With memory of its own.
  Workspace(const Architecture& architecture, std::size_t max_rows);
  /// With activations that lie elsewhere. @param activations for `max_rows` rows
  Workspace(const Architecture& architecture, std::size_t max_rows, Activations activations);
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;
  ~Workspace();

  /// The last pass's logits [rows x outputs], and the place where the loss writes its gradient.
  [[nodiscard]] MatrixView<float> logits();
  [[nodiscard]] const Activations& activations() const;

 private:
  friend class Network;
  struct State;
  std::unique_ptr<State> state_;
};

/// A microbatch of which somebody has the activations.
struct Microbatch {
  const Activations* activations = nullptr;
  std::size_t index = 0;      ///< in these activations
  std::size_t first_row = 0;  ///< in these activations
  std::size_t rows = 0;       ///< perhaps none
};

/// Microbatches whose gradients are added to one sum, along their tree: after the i-th, the last two sums are added
/// merges[i] times (core/sum_tree.hpp).
struct SummedMicrobatches {
  std::span<const Microbatch> microbatches;
  std::span<const std::uint8_t> merges;
};

/// What an input becomes before it is multiplied: scale (pixel - mean).
struct InputScaling {
  std::vector<float> mean;   ///< [inputs]
  std::vector<float> scale;  ///< [inputs]
};

/// z-scores: the scale is 1 / standard deviation, or 0 where the deviation is 0, since such an input never told
/// anything.
/// @param mean, standard_deviation [inputs], over the training images
[[nodiscard]] InputScaling standardizing(std::span<const float> mean, std::span<const float> standard_deviation);

/// The passes over given parameters; holds no parameters of its own.
class Network {
 public:
  Network(const Architecture& architecture, const InputScaling& scaling, Products products = Products::automatic);

  [[nodiscard]] const Architecture& architecture() const { return architecture_; }
  [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }
  /// Floats of a parameter vector in memory. Every vector of parameters or gradients below has this size.
  [[nodiscard]] std::size_t padded_size() const { return nn::padded_size(architecture_); }
  /// The parameters in the pieces in which gradient() takes them: a few rows of a layer's weights, or its biases.
  [[nodiscard]] std::vector<ParameterRange> blocks() const;
  /// The parameters of a block's smallest pieces that gradient() takes, too: the weights of a group of inputs; with
  /// OpenBLAS, whose bits depend on a product's shape, and of biases, the whole block. They lie at multiples of it in
  /// the block, the last one perhaps smaller.
  /// @param block one of blocks()
  [[nodiscard]] std::size_t grain(const ParameterRange& block) const;
  /// About how much work a block's gradient and update are in a step, in units of a row of one weight.
  /// @param rows of a step, over all microbatches
  [[nodiscard]] double cost(const ParameterRange& block, std::size_t rows, std::size_t microbatches) const;

  /// About how many entries the lists of so many rows' pixels have.
  [[nodiscard]] std::size_t expected_entries(std::size_t rows) const;

  /// Initial weights, uniform; biases and padding 0. For tanh and sigmoid in +-sqrt(6 / (inputs + outputs)) (Glorot &
  /// Bengio 2010, eq. 16), otherwise in +-sqrt(6 / inputs), so that their variance is 2 / inputs (He et al. 2015, eq.
  /// 10).
  /// @param parameters [padded_size()]
  void initialize(std::span<float> parameters, std::uint64_t seed) const;

  /// Takes rows into the workspace, for the pass that comes next. @param rows [rows] of [inputs] pixels each; they may
  /// go away afterwards  @param microbatch_rows by microbatch: how many of the rows it has; their sum is that of the
  /// rows
  void load(std::span<const std::uint8_t* const> rows, std::span<const std::size_t> microbatch_rows,
            Workspace& workspace) const;

  /// Prediction: the whole pass over the loaded rows, without dropout.
  /// @return the logits [rows x outputs], valid until the next pass with `workspace`
  MatrixView<const float> predict(std::span<const float> parameters, Workspace& workspace) const;

  /// Training: the pass over the loaded rows. Leaves in `workspace` what backward() needs; the logits are
  /// workspace.logits(). @param row_ids by row: its number in the training set, which names its dropout mask
  void forward(std::span<const float> parameters, std::span<const std::uint64_t> row_ids, const Dropout& dropout,
               Workspace& workspace) const;

  /// After forward(), and once workspace.logits() has been overwritten with the gradient of the loss with respect to
  /// them: completes workspace.activations().
  void backward(std::span<const float> parameters, Workspace& workspace) const;

  /// After backward() of all microbatches: the gradient of one of blocks(), or of some of its grains, summed over them,
  /// but for scale_gradient().
  /// @param sum [block.size()], overwritten
  void gradient(const ParameterRange& block, const SummedMicrobatches& microbatches, float* sum) const;
  /// Makes a block's sum over all microbatches the gradient: the first layer's weights see scaled inputs, and the scale
  /// is the same for all rows. @param sum [block.size()]
  void scale_gradient(const ParameterRange& block, std::span<float> sum) const;

 private:
  [[nodiscard]] MatrixView<const float> weights(std::span<const float> parameters, std::size_t index) const;
  [[nodiscard]] const float* biases(std::span<const float> parameters, std::size_t index) const;
  /// Whether a layer's weights stay in a core's second-level cache while rows go through them.
  [[nodiscard]] static bool is_small(const Layer& layer);
  /// Of the groups of inputs, about which share is not all zero in a row.
  [[nodiscard]] double share_of_active_groups(std::size_t first_input, std::size_t end_input) const;
  [[nodiscard]] std::size_t layer_with(const ParameterRange& block) const;
  /// Rows of a layer's weights in a block.
  [[nodiscard]] static std::size_t rows_of_block(const Layer& layer);
  [[nodiscard]] MatrixView<const float> transposed_weights(std::span<const float> parameters, std::size_t index,
                                                           Workspace& workspace) const;
  /// The loaded rows [rows x inputs].
  [[nodiscard]] MatrixView<const float> standardized_inputs(Workspace::State& state) const;
  /// The product of the layer's inputs and weights, in its outputs. @return what is to be added to every row
  const float* multiply_layer(std::span<const float> parameters, std::size_t index, Workspace& workspace) const;

  Architecture architecture_;
  std::vector<Layer> layers_;
  bool uses_blas_;
  AlignedVector<float> scale_;          // [inputs, padded to groups]
  AlignedVector<float> negative_mean_;  // [inputs, padded to groups]
};

}  // namespace mnist_dist::nn
