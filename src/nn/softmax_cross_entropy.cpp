#include "mnist_dist/nn/softmax_cross_entropy.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mnist_dist::nn {
namespace {

/// Overwrites a row of logits with its softmax; returns log sum_j exp(z_j).
double softmax_row(std::span<float> row) {
  const float largest = *std::max_element(row.begin(), row.end());
  float sum = 0.0F;
  for (float& value : row) {
    value = std::exp(value - largest);
    sum += value;
  }
  for (float& value : row) value /= sum;
  return double{largest} + std::log(double{sum});
}

}  // namespace

void softmax(const MatrixView<float>& logits) {
  for (std::size_t row = 0; row < logits.rows; ++row) softmax_row(logits.row(row));
}

double softmax_cross_entropy(const MatrixView<float>& logits, std::span<const std::int32_t> labels, float scale,
                             double smoothing, std::span<const float> class_weights) {
  const double share_of_each = smoothing / static_cast<double>(logits.columns);
  double loss = 0.0;
  for (std::size_t row = 0; row < logits.rows; ++row) {
    const std::span<float> values = logits.row(row);
    const auto label = static_cast<std::size_t>(labels[row]);
    double expected_logit = values[label];
    if (smoothing > 0.0) {
      expected_logit =
          (1.0 - smoothing) * expected_logit + share_of_each * std::accumulate(values.begin(), values.end(), 0.0);
    }
    const float weight = class_weights.empty() ? 1.0F : class_weights[label];
    loss += double{weight} * (softmax_row(values) - expected_logit);
    values[label] -= static_cast<float>(1.0 - smoothing);
    const float row_scale = scale * weight;
    for (float& value : values) value = row_scale * (value - static_cast<float>(share_of_each));
  }
  return loss;
}

}  // namespace mnist_dist::nn
