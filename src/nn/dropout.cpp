#include "mnist_dist/nn/dropout.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "mnist_dist/core/hot_loop.hpp"
#include "mnist_dist/core/random.hpp"

namespace mnist_dist::nn {
namespace {

/// Each random word decides two units, the low half first.
MNIST_DIST_HOT_LOOP void scales_of(const std::uint32_t* words, std::size_t units, std::uint32_t threshold,
                                   float kept_scale, float* scales) {
  for (std::size_t i = 0; i < units / 2; ++i) {
    scales[2 * i] = (words[i] & 0xffffU) < threshold ? 0.0F : kept_scale;
    scales[2 * i + 1] = (words[i] >> 16) < threshold ? 0.0F : kept_scale;
  }
  if (units % 2 == 1) scales[units - 1] = (words[units / 2] & 0xffffU) < threshold ? 0.0F : kept_scale;
}

}  // namespace

Dropout::Dropout(double rate, std::uint64_t seed, std::uint32_t epoch)
    : seed_(seed), epoch_(epoch), threshold_(static_cast<std::uint32_t>(std::lround(rate * 65536.0))) {
  kept_scale_ = static_cast<float>(65536.0 / (65536.0 - threshold_));
}

void Dropout::draw(std::span<const std::uint64_t> row_ids, std::size_t layer, const MatrixView<float>& scales) const {
  if (!active()) {
    for (std::size_t row = 0; row < scales.rows; ++row) std::ranges::fill(scales.row(row), 1.0F);
    return;
  }
  const std::size_t words_of_row = (scales.columns + 1) / 2;
  const std::size_t blocks = (words_of_row + kWordsOfBlock - 1) / kWordsOfBlock;
  thread_local std::vector<std::uint64_t> ids;
  thread_local std::vector<std::uint32_t> words;
  ids.assign(row_ids.begin(), row_ids.end());
  for (std::uint64_t& id : ids) id |= std::uint64_t{layer} << 40;
  words.resize(ids.size() * blocks * kWordsOfBlock);
  fill_streams({.seed = seed_, .purpose = Purpose::dropout, .epoch = epoch_, .id = 0}, ids, blocks, words);
  for (std::size_t row = 0; row < scales.rows; ++row) {
    scales_of(words.data() + row * blocks * kWordsOfBlock, scales.columns, threshold_, kept_scale_,
              scales.row(row).data());
  }
}

}  // namespace mnist_dist::nn
