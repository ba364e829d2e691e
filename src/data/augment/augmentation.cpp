#include "mnist_dist/data/augment/augmentation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/random.hpp"

namespace mnist_dist::data {
namespace {

// A row's first random words, each for one number. Those of the elastic field come after them.
enum Word : std::size_t { kScaleX, kScaleY, kShear, kRotation, kShiftX, kShiftY, kAffineWords };

// Uniform between -bound and bound.
double between(double bound, std::uint32_t word) {
  return bound * (static_cast<double>(word) * 0x1p-31 - 1.0);
}

AffineChange affine_change(const AugmentationSettings& settings, std::span<const std::uint32_t> random) {
  return {.scale_x = 1.0 + between(settings.scaling, random[kScaleX]),
          .scale_y = 1.0 + between(settings.scaling, random[kScaleY]),
          .shear = between(settings.shear, random[kShear]),
          .rotation = between(settings.rotation, random[kRotation]),
          .shift_x = between(settings.shift, random[kShiftX]),
          .shift_y = between(settings.shift, random[kShiftY])};
}

void check(const char* name, double value, double lowest, double highest) {
  if (value >= lowest && value <= highest) return;  // false for NaN
  throw Error(ExitCode::usage, fmt::format("the {} of the training images is {}, but must lie between {} and {}", name,
                                           value, lowest, highest));
}

void check(const AugmentationSettings& settings) {
  check("rotation", settings.rotation, 0.0, 180.0);
  check("scaling", settings.scaling, 0.0, 0.9);
  check("shear", settings.shear, 0.0, 10.0);
  check("shift", settings.shift, 0.0, 4096.0);
  check("elastic distortion", settings.elastic, 0.0, 4096.0);
  check("elastic smoothing", settings.elastic_smoothing, 1.0, 4096.0);
}

}  // namespace

bool AugmentationSettings::active() const {
  return rotation != 0.0 || scaling != 0.0 || shear != 0.0 || shift != 0.0 || elastic != 0.0;
}

Augmentation::Augmentation(const ImageShape& shape, const AugmentationSettings& settings, std::uint64_t seed,
                           std::uint32_t epoch)
    : shape_(shape), settings_(settings), seed_(seed), epoch_(epoch), warp_(shape) {
  check(settings);
  std::size_t words = kAffineWords;
  if (settings.elastic > 0.0) {
    elastic_.emplace(shape.height, shape.width, settings.elastic_smoothing);
    words += elastic_->words();
  }
  random_.resize((words + 3) / 4 * 4);  // whole blocks of random words are drawn fastest
}

void Augmentation::apply(std::uint64_t row_id, std::span<const std::uint8_t> pixels, std::span<std::uint8_t> warped) {
  if (!settings_.active()) {
    std::ranges::copy(pixels, warped.begin());
    return;
  }
  RandomStream stream({.seed = seed_, .purpose = Purpose::augmentation, .epoch = epoch_, .id = row_id});
  stream.fill(random_);
  Displacements displacements;
  if (elastic_) {
    elastic_->generate(std::span(random_).subspan(kAffineWords, elastic_->words()));
    const float largest = elastic_->largest();
    displacements = {.x = elastic_->x(),
                     .y = elastic_->y(),
                     .scale = largest > 0.0F ? static_cast<float>(settings_.elastic) / largest : 0.0F};
  }
  warp_.apply(affine_map(shape_, affine_change(settings_, random_)), displacements, pixels, warped);
}

}  // namespace mnist_dist::data
