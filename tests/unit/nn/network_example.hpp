// A network, its parameters and some rows; what the passes make of them. For the tests of layer nn.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "mnist_dist/core/matrix_view.hpp"
#include "mnist_dist/nn/network.hpp"

inline const mnist_dist::nn::Dropout kNoDropout(0.0, 0, 0);

/// A network, its parameters and some labelled rows.
struct Example {
  mnist_dist::nn::Architecture architecture;
  std::vector<float> parameters;
  mnist_dist::nn::InputScaling scaling;
  std::vector<std::uint8_t> pixels;  // [rows x inputs]
  std::vector<std::int32_t> labels;
  std::vector<std::uint64_t> row_ids;
};

/// A file of tests/unit/data.
nlohmann::json reference(const std::string& file);

/// All numbers of nested lists, in their order.
std::vector<float> flat(const nlohmann::json& nested);

/// W1, b1, W2, b2, ... as the flat vector has them.
std::vector<float> interleaved(const nlohmann::json& weights, const nlohmann::json& biases);

/// The network and the rows of mlp.json, whose inputs X are any numbers. The network takes pixels: each row here lights
/// one of its own, and the first layer's weights are X W1.
Example reference_example();

/// A gradient of reference_example(), as one of mlp.json's network: X^T times that of X W1.
std::vector<float> as_gradient_of_reference(const Example& example, const std::vector<float>& gradient);

/// A few random rows for a network whose layers go through our own kernels, or are too large for them.
Example random_example(bool large);

/// How microbatches divide the rows, and how their gradients are added.
struct Division {
  std::vector<std::size_t> rows;
  std::vector<std::uint8_t> merges;
};

/// Loads the example's rows from the first one on.
void load_rows(const Example& example, const mnist_dist::nn::Network& network, std::size_t first,
               std::span<const std::size_t> microbatch_rows, mnist_dist::nn::Workspace& workspace);

/// The loss of the rows from `first` on, summed, scaled for the gradient as in the whole batch; and the gradients
/// without the inputs' scale.
double loss_of(const Example& example, std::size_t first, const Division& division,
               const mnist_dist::nn::Dropout& dropout, std::size_t results, std::vector<std::vector<float>>* gradients);

/// The mean loss, and its gradient where one is asked for.
double mean_loss(const Example& example, const mnist_dist::nn::Dropout& dropout, std::vector<float>* gradient);

/// The logits of all rows, in prediction. [rows x outputs]
std::vector<float> predicted_logits(const Example& example);

/// The largest difference between `gradient` and the differences of mean_loss() over a small step of each parameter.
double largest_gradient_error(Example example, const mnist_dist::nn::Dropout& dropout,
                              const std::vector<float>& gradient);

/// Checks that a microbatch's gradient has the same bits whatever stands beside it, and that they are added along the
/// tree.
void check_microbatches(const Example& example);
