// The multilayer perceptron's forward and backward pass, and the gradient of its parameters. Local: layers know nothing
// of ranks.
//
// A row's bits depend on the row alone, and a microbatch's gradient on nothing beside it: all products go through kernels of
// our own, which guarantee that.
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

/// A network's parameters, and what derive() makes of them.
struct Parameters {
  std::span<const float> values;   ///< [padded_size()]
  std::span<const float> derived;  ///< [derived_size()]
};

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

class Network;

/// A network's parameters and what is derived from them, with memory of their own.
class OwnedParameters {
 public:
  /// @param values [network.padded_size()]
  OwnedParameters(const Network& network, std::vector<float> values);
  [[nodiscard]] Parameters view() const { return {values_, derived_}; }

 private:
  std::vector<float> values_;
  std::vector<float> derived_;
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
  /// Floats that derive() writes. They hold nothing new, but whoever shares parameters shares the work of deriving them.
  [[nodiscard]] std::size_t derived_size() const;
  /// Derives from the new values of one of blocks() what the passes want of them: the transposed weights of small layers,
  /// and what the input offsets contribute to the first layer. @param derived [derived_size()], zero before the first time
  void derive(const ParameterRange& block, std::span<const float> values, std::span<float> derived) const;
  /// About how much work a block's gradient and update are in a step, in units of a row of one weight.
  /// @param input_activity by group of inputs (nn/activations.hpp): the share of rows in which it is not zero
  /// @param rows of a step, over all microbatches
  [[nodiscard]] double cost(const ParameterRange& block, std::span<const double> input_activity, std::size_t rows,
                            std::size_t microbatches) const;

  /// Initial weights, uniform; biases and padding 0. For tanh and sigmoid in +-sqrt(6 / (inputs + outputs)) (Glorot &
  /// Bengio 2010, eq. 16), otherwise in +-sqrt(6 / inputs), so that their variance is 2 / inputs (He et al. 2015, eq. 10).
  /// @param parameters [padded_size()]
  void initialize(std::span<float> parameters, std::uint64_t seed) const;

  /// Prediction: no dropout, over the first `rows` rows of workspace.inputs().
  /// @return the logits [rows x outputs], valid until the next pass with `workspace`
  MatrixView<const float> predict(const Parameters& parameters, std::size_t rows, Workspace& workspace) const;

  /// Training: leaves in `workspace` what backward() needs; the logits are workspace.logits().
  /// @param row_ids by row of workspace.inputs(): its number in the training set, which names its dropout mask
  void forward(const Parameters& parameters, std::span<const std::uint64_t> row_ids, const Dropout& dropout,
               Workspace& workspace) const;

  /// After forward() over the same rows, and once workspace.logits() has been overwritten with the gradient of the loss
  /// with respect to them: completes workspace.activations().
  /// @param microbatch_rows by microbatch: how many of the rows it has; their sum is the number of rows
  void backward(const Parameters& parameters, std::span<const std::size_t> microbatch_rows, Workspace& workspace) const;

  /// After backward(): the gradients of one of blocks(), summed over the microbatches. @param sums [block.size()] each,
  /// overwritten: as many as the microbatches' merges leave  @param written_next what the caller writes after this, such
  /// as the block's parameters, or nothing: it is brought into this core's cache meanwhile. [block.size()]
  void gradient(const ParameterRange& block, std::span<const Microbatch> microbatches, std::span<float* const> sums,
                std::span<const float> written_next = {}) const;

 private:
  [[nodiscard]] MatrixView<const float> weights(const Parameters& parameters, std::size_t index) const;
  /// Whether a layer's weights stay in a core's second-level cache while rows go through them.
  [[nodiscard]] static bool is_small(const Layer& layer);
  [[nodiscard]] std::size_t layer_with(const ParameterRange& block) const;
  /// Rows of a layer's weights in a block.
  [[nodiscard]] static std::size_t rows_of_block(const Layer& layer);
  [[nodiscard]] std::size_t first_layer_blocks() const;
  /// The transposed weights of a small layer [outputs x padded(inputs)], and where they begin in what is derived.
  [[nodiscard]] MatrixView<const float> transposed_weights(const Parameters& parameters, std::size_t index) const;
  [[nodiscard]] std::size_t transposed_begin(std::size_t index) const;
  void begin_pass(const Parameters& parameters, std::size_t rows, Workspace& workspace) const;
  void multiply_layer(const Parameters& parameters, std::size_t index, Workspace& workspace) const;
  const float* biases(const Parameters& parameters, std::size_t index, const Workspace& workspace) const;

  Architecture architecture_;
  std::vector<Layer> layers_;
  std::vector<float> input_offsets_;
};

}  // namespace mnist_dist::nn
