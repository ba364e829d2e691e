// Predictions over rows in memory. Local.
#pragma once

#include <cstddef>

#include "mnist_dist/data/image_rows.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/train/confusion_matrix.hpp"

namespace mnist_dist::train {

/// Rows that go through the network at once. Whoever divides rows among ranks divides them at multiples of this from a
/// fixed point, so that every row is computed in the same company, and to the same bits, for any number of ranks.
inline constexpr std::size_t kScoringRows = 250;

/// Predicts the rows [first, end) of `rows` and counts the outcomes in `outcomes`.
/// @param workspace for kScoringRows rows and inputs
void score_rows(const nn::Network& network, std::span<const float> parameters, const data::ImageRows& rows,
                std::size_t first, std::size_t end, data::Batch& batch, nn::Workspace& workspace,
                ConfusionMatrix& outcomes);

}  // namespace mnist_dist::train
