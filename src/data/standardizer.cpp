#include "mnist_dist/data/standardizer.hpp"

#include "mnist_dist/core/hot_loop.hpp"

namespace mnist_dist::data {
namespace {

MNIST_DIST_HOT_LOOP void multiply(const std::uint8_t* __restrict pixels, const float* __restrict scale,
                                  std::size_t count, float* __restrict values) {
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<float>(pixels[i]) * scale[i];
}

}  // namespace

Standardizer::Standardizer(std::span<const float> mean, std::span<const float> standard_deviation) {
  for (std::size_t i = 0; i < mean.size(); ++i) {
    const float scale = standard_deviation[i] > 0.0F ? 1.0F / standard_deviation[i] : 0.0F;
    scale_.push_back(scale);
    offsets_.push_back(-mean[i] * scale);
  }
}

void Standardizer::scale(std::span<const std::uint8_t> pixels, std::span<float> values) const {
  multiply(pixels.data(), scale_.data(), scale_.size(), values.data());
}

}  // namespace mnist_dist::data
