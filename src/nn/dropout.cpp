#include "mnist_dist/nn/dropout.hpp"

#include <algorithm>
#include <array>
#include <cmath>

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

void Dropout::draw(std::uint64_t row_id, std::size_t layer, std::span<float> scales) const {
  const StreamKey key{
      .seed = seed_, .purpose = Purpose::dropout, .epoch = epoch_, .id = (std::uint64_t{layer} << 40) | row_id};
  if (!active()) {
    std::ranges::fill(scales, 1.0F);
    return;
  }
  std::array<std::uint32_t, 1024> words;
  RandomStream stream(key);
  for (std::size_t first = 0; first < scales.size(); first += 2 * words.size()) {
    const std::size_t units = std::min(2 * words.size(), scales.size() - first);
    stream.fill(std::span(words).first((units + 1) / 2));
    scales_of(words.data(), units, threshold_, kept_scale_, scales.data() + first);
  }
}

}  // namespace mnist_dist::nn
