// The loss. Local.
#pragma once

#include <cstdint>
#include <span>

#include "mnist_dist/core/matrix_view.hpp"

namespace mnist_dist::nn {

/// Overwrites logits with probabilities, row by row: p_i = exp(z_i - max z) / sum_j exp(z_j - max z).
void softmax(const MatrixView<float>& logits);

/// Softmax cross-entropy: -sum_j t_j log p_j of every row, where p = softmax(logits) (Goodfellow, Bengio & Courville
/// 2016, 6.2.2.3) and t = (1 - smoothing) onehot(label) + smoothing / classes: the label, or the smoothed label
/// (Szegedy et al. 2016, section 7). Overwrites the logits with the gradient of scale times the sum over the rows:
/// scale (p - t).
/// @param labels [rows], each below logits.columns
/// @param scale 1 / rows of the global batch, so that the sum over all microbatches is the mean over the
/// batch
/// @param smoothing in [0, 1]
/// @param class_weights [columns], or empty for 1: each row, its loss and its gradient, counts with its label's weight
/// @return the unscaled sum over the rows
double softmax_cross_entropy(const MatrixView<float>& logits, std::span<const std::int32_t> labels, float scale,
                             double smoothing = 0.0, std::span<const float> class_weights = {});

}  // namespace mnist_dist::nn
