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
#include "mnist_dist/core/sum_tree.hpp"
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
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;
  ~Workspace();

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
/// the last two sums are added `merges` times. What is left are the sums, first to last. (core/sum_tree.hpp gives the
/// merges of a list of shards.)
struct Microbatch {
  const Activations* activations = nullptr;
  std::size_t index = 0;      ///< in these activations
  std::size_t first_row = 0;  ///< in these activations
  std::size_t rows = 0;       ///< perhaps none
  std::uint8_t merges = 0;
};

/// Rows of which somebody has the activations, and some segments of their inputs, perhaps none.
struct RowSegments {
  const Activations* activations = nullptr;
  std::size_t rows = 0;  ///< the first ones
  LeafBlock segments;
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
  [[nodiscard]] std::size_t padded_size() const { return nn::padded_size(architecture_); }
  /// The parameters in the pieces in which gradient() takes them: a few rows of a layer's weights, or its biases.
  [[nodiscard]] std::vector<ParameterRange> blocks() const;
  /// About how much work a block's gradient and update are in a step, in units of a row of one weight.
  /// @param rows of a step, over all microbatches
  [[nodiscard]] double cost(const ParameterRange& block, std::size_t rows, std::size_t microbatches) const;

  /// Initial weights, uniform; biases and padding 0. For tanh and sigmoid in +-sqrt(6 / (inputs + outputs)) (Glorot &
  /// Bengio 2010, eq. 16), otherwise in +-sqrt(6 / inputs), so that their variance is 2 / inputs (He et al. 2015, eq. 10).
  /// @param parameters [padded_size()]
  void initialize(std::span<float> parameters, std::uint64_t seed) const;

  /// Prediction: the whole pass without dropout, over the first `rows` rows of workspace.inputs().
  /// @return the logits [rows x outputs], valid until the next pass with `workspace`
  MatrixView<const float> predict(std::span<const float> parameters, std::size_t rows, Workspace& workspace) const;

  // Training: a pass over rows of one's own in four calls. The second may also work for others and leave work to them; then
  // all have to be done with a call before anybody makes the next one.

  /// Once the rows are in workspace.inputs(): notes how many they are, and which of their inputs are not zero.
  void begin_pass(std::size_t rows, Workspace& workspace) const;
  /// The segments over which the first layer's product is formed.
  [[nodiscard]] std::size_t segments() const { return segment_bounds_.size() - 1; }
  /// The first layer's product of anybody's rows over some segments of their inputs, left in their activations.
  void multiply_inputs(std::span<const float> parameters, std::span<const RowSegments> all_rows,
                       Workspace& workspace) const;
  /// Leaves in `workspace` what backward() needs; the logits are workspace.logits().
  /// @param products the blocks of segments, in their order and all segments together, over which multiply_inputs() was
  /// called for these rows  @param row_ids by row of workspace.inputs(): its number in the training set, which names its
  /// dropout mask
  void forward(std::span<const float> parameters, std::span<const LeafBlock> products,
               std::span<const std::uint64_t> row_ids, const Dropout& dropout, Workspace& workspace) const;

  /// After forward() over the same rows, and once workspace.logits() has been overwritten with the gradient of the loss
  /// with respect to them: completes workspace.activations().
  /// @param microbatch_rows by microbatch: how many of the rows it has; their sum is the number of rows
  void backward(std::span<const float> parameters, std::span<const std::size_t> microbatch_rows,
                Workspace& workspace) const;

  /// After backward(): the gradients of one of blocks(), summed over the microbatches. @param sums [block.size()] each,
  /// overwritten: as many as the microbatches' merges leave  @param written_next what the caller writes after this, such
  /// as the block's parameters, or nothing: it is brought into this core's cache meanwhile. [block.size()]
  void gradient(const ParameterRange& block, std::span<const Microbatch> microbatches, std::span<float* const> sums,
                std::span<const float> written_next = {}) const;

 private:
  [[nodiscard]] MatrixView<const float> weights(std::span<const float> parameters, std::size_t index) const;
  /// Whether a layer's weights stay in a core's second-level cache while rows go through them.
  [[nodiscard]] static bool is_small(const Layer& layer);
  [[nodiscard]] std::size_t layer_with(const ParameterRange& block) const;
  /// Rows of a layer's weights in a block.
  [[nodiscard]] static std::size_t rows_of_block(const Layer& layer);
  [[nodiscard]] MatrixView<const float> transposed_weights(std::span<const float> parameters, std::size_t index,
                                                           Workspace& workspace) const;
  /// Not of the first layer.
  void multiply_layer(std::span<const float> parameters, std::size_t index, Workspace& workspace) const;
  /// What the input offsets add in each segment that is wanted, [segments x columns]: (inputs + offsets) W =
  /// inputs W + offsets W, the same for every row. Without data where there are no offsets.
  MatrixView<const float> start_segments(std::span<const float> parameters, std::span<const RowSegments> all_rows,
                                         Workspace& workspace) const;
  void add_products(std::span<const LeafBlock> products, Workspace& workspace) const;
  [[nodiscard]] const float* biases(std::span<const float> parameters, std::size_t index) const;

  Architecture architecture_;
  std::vector<Layer> layers_;
  std::vector<float> input_offsets_;
  std::vector<double> zero_shares_;          // by group of inputs (src/nn/input_segments.hpp)
  std::vector<std::size_t> segment_bounds_;  // [segments + 1], in groups of inputs
};

}  // namespace mnist_dist::nn
