#include "mnist_dist/nn/dropout.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "mnist_dist/core/random.hpp"

namespace mnist_dist::nn {

Dropout::Dropout(double rate, std::uint64_t seed, std::uint32_t epoch)
    : seed_(seed), epoch_(epoch), threshold_(static_cast<std::uint32_t>(std::lround(rate * 65536.0))) {
  kept_scale_ = static_cast<float>(65536.0 / (65536.0 - threshold_));
}

void Dropout::draw(std::uint64_t row_id, std::size_t layer, std::span<float> scales) const {
  const StreamKey key{
      .seed = seed_, .purpose = Purpose::dropout, .epoch = epoch_, .id = (std::uint64_t{layer} << 40) | row_id};
  // Each random word decides two units.
  std::array<std::uint32_t, 1024> words;
  RandomStream stream(key);
  for (std::size_t first = 0; first < scales.size(); first += 2 * words.size()) {
    const std::size_t units = std::min(2 * words.size(), scales.size() - first);
    const std::span<std::uint32_t> used = std::span(words).first((units + 1) / 2);
    stream.fill(used);
    for (std::size_t i = 0; i < units; ++i) {
      const std::uint32_t bits = (used[i / 2] >> (16 * (i % 2))) & 0xffffU;
      scales[first + i] = bits < threshold_ ? 0.0F : kept_scale_;
    }
  }
}

}  // namespace mnist_dist::nn
