#include "mnist_dist/train/scoring.hpp"

#include <algorithm>

namespace mnist_dist::train {

void score_rows(const nn::Network& network, std::span<const float> parameters, const data::ImageRows& rows,
                std::size_t first, std::size_t end, data::Batch& batch, nn::Workspace& workspace,
                ConfusionMatrix& outcomes) {
  for (; first < end; first += kScoringRows) {
    const std::size_t count = std::min(kScoringRows, end - first);
    batch.load(rows, first, count);
    network.load(batch.pixels(), std::span(&count, 1), workspace);
    const MatrixView<const float> logits = network.predict(parameters, workspace);
    for (std::size_t row = 0; row < logits.rows; ++row) {
      const std::span<const float> values = logits.row(row);
      const auto predicted = static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
      outcomes.add(predicted, static_cast<std::size_t>(batch.labels()[row]));
    }
  }
}

}  // namespace mnist_dist::train
