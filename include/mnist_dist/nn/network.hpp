// The multilayer perceptron's forward and backward pass, and the gradient of its parameters. Local: layers know nothing
// of ranks.
//
// A row's bits depend on its microbatch alone, and a microbatch's gradient on nothing beside it: layers whose weights fit
// a core's cache take all rows through kernels of our own, which guarantee that; larger ones take each microbatch through
// BLAS by itself. In prediction, large layers make a row's last bits depend on how many rows go together, so whoever
// wants equal bits passes equal shapes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "mnist_dist/core/matrix_view.hpp"
#include "mnist_dist/core/parameter_range.hpp"
#include "mnist_dist/nn/activations.hpp"
#include "mnist_dist/nn/architecture.hpp"
#include "mnist_dist/nn/dropout.hpp"

namespace mnist_dist::nn {

/// What the passes over some rows need; used again from step to step. One user at a time.
class Workspace {
 public:
  /// With memory of its own.
  Workspace(const Architecture& architecture, std::size_t max_rows);
  /// With activations that lie elsewhere. @param activations for `max_rows` rows
  Workspace(const Architecture& architecture, std::size_t max_rows, Activations activations);
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;
  ~Workspace();

  [[nodiscard]] std::size_t max_rows() const;
  /// Where the caller puts the rows, [max_rows x inputs].
  [[nodiscard]] MatrixView<float> inputs();
  /// The last pass's logits [rows x outputs], and the place where the loss writes its gradient.
  [[nodiscard]] MatrixView<float> logits();
  [[nodiscard]] const Activations& activations() const;

 private:
  friend class Network;
  struct State;
  std::unique_ptr<State> state_;
};

/// A microbatch of which somebody has the activations, and its place in the sum over microbatches: after its gradient,
/// the last two sums are added `merges` times. What is left are the sums, first to last. (core/shard_tree.hpp gives the
/// merges of a list of shards.)
struct Microbatch {
  const Activations* activations = nullptr;
  std::size_t index = 0;      ///< in these activations
  std::size_t first_row = 0;  ///< in these activations
  std::size_t rows = 0;       ///< perhaps none
  std::uint8_t merges = 0;
};

/// The passes over given parameters; holds no parameters of its own.
class Network {
 public:
  /// @param input_offsets [inputs] or empty: what is to be added to every row's inputs. They are kept apart so that
  /// inputs which are zero cost nothing.
  explicit Network(const Architecture& architecture, std::vector<float> input_offsets = {});

  [[nodiscard]] const Architecture& architecture() const { return architecture_; }
  [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }
  /// Floats of a parameter vector in memory. Every vector of parameters or gradients below has this size.
  [[nodiscard]] std::size_t padded_size() const { return layers_.back().biases.end; }
  /// The parameters in the pieces in which gradient() takes them: a few rows of a layer's weights, or its biases.
  [[nodiscard]] std::vector<ParameterRange> blocks() const;
  /// About how much work a block's gradient and update are, in units of those of a parameter whose inputs are never zero.
  /// @param input_activity by group of inputs (nn/activations.hpp): the share of rows in which it is not zero
  [[nodiscard]] double cost(const ParameterRange& block, std::span<const double> input_activity) const;

  /// He initialisation, uniform: weights in +-sqrt(6 / inputs), so that their variance is 2 / inputs (He et
  /// al. 2015, eq. 10); biases and padding 0. @param parameters [padded_size()]
  void initialize(std::span<float> parameters, std::uint64_t seed) const;

  /// Prediction: no dropout, over the first `rows` rows of workspace.inputs().
  /// @return the logits [rows x outputs], valid until the next pass with `workspace`
  MatrixView<const float> predict(std::span<const float> parameters, std::size_t rows, Workspace& workspace) const;

  /// Training: leaves in `workspace` what backward() needs; the logits are workspace.logits().
  /// @param row_ids by row of workspace.inputs(): its number in the training set, which names its dropout mask
  /// @param microbatch_rows by microbatch: how many of the rows it has; their sum is the number of rows
  void forward(std::span<const float> parameters, std::span<const std::uint64_t> row_ids,
               std::span<const std::size_t> microbatch_rows, const Dropout& dropout, Workspace& workspace) const;

  /// After forward() over the same rows, and once workspace.logits() has been overwritten with the gradient of the loss
  /// with respect to them: completes workspace.activations().
  void backward(std::span<const float> parameters, std::span<const std::size_t> microbatch_rows,
                Workspace& workspace) const;

  /// After backward(): the gradients of one of blocks(), summed over the microbatches. @param sums [block.size()] each,
  /// overwritten: as many as the microbatches' merges leave
  void gradient(const ParameterRange& block, std::span<const Microbatch> microbatches,
                std::span<float* const> sums) const;

 private:
  MatrixView<const float> weights(std::span<const float> parameters, const Layer& layer) const;
  void begin_pass(std::span<const float> parameters, std::size_t rows, Workspace& workspace) const;
  void multiply_layer(std::span<const float> parameters, std::size_t index,
                      std::span<const std::size_t> microbatch_rows, Workspace& workspace) const;
  const float* biases(std::span<const float> parameters, std::size_t index, const Workspace& workspace) const;

  Architecture architecture_;
  std::vector<Layer> layers_;
  std::vector<float> input_offsets_;
};

}  // namespace mnist_dist::nn
