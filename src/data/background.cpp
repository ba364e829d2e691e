#include "mnist_dist/data/background.hpp"

#include <cmath>
#include <cstdlib>

#include "mnist_dist/image/center_ink.hpp"
#include "mnist_dist/image/resample.hpp"

namespace mnist_dist::data {
namespace {

// Backgrounds this near to black or white are clear, where their deviation is not above it either.
constexpr int kNear = 63;

std::uint8_t rounded_sample(float value) {
  if (!(value > 0)) return 0;  // what is no number is black, too
  return value >= 255 ? 255 : static_cast<std::uint8_t>(std::floor(value + 0.5));
}

image::Colour border_level(std::span<const float> values, const ImageShape& shape) {
  image::Image image{shape.height, shape.width, shape.channels, {}};
  for (const float value : values) image.pixels.push_back(rounded_sample(value));
  return image::border_level(image);
}

int grey_of(const image::Colour& colour) {
  return image::to_grey({1, 1, 3, {colour.begin(), colour.end()}}).pixels[0];
}

bool is_transparent_around(const image::Picture& picture) {
  image::Image opacity{picture.height, picture.width, 1, {}};
  for (std::size_t i = 3; i < picture.samples.size(); i += 4) {
    opacity.pixels.push_back(static_cast<std::uint8_t>(picture.samples[i] / 257));
  }
  return image::border_level(opacity)[0] < 128;
}

bool is_blank(const image::Picture& picture) {
  for (std::size_t i = 3; i < picture.samples.size(); i += 4) {
    if (picture.samples[i] > 0) return false;
  }
  return true;
}

/// The mean colour, weighted by opacity. Something is opaque.
image::Colour ink_of(const image::Picture& picture) {
  image::Colour ink{};
  for (std::size_t channel = 0; channel < ink.size(); ++channel) {
    double sum = 0;
    double weight = 0;
    for (std::size_t i = 0; i < picture.samples.size(); i += 4) {
      sum += static_cast<double>(picture.samples[i + channel]) * picture.samples[i + 3];
      weight += picture.samples[i + 3];
    }
    ink[channel] = rounded_sample(static_cast<float>(sum / weight / 257));
  }
  return ink;
}

}  // namespace

Background background_of(std::span<const float> mean, std::span<const float> standard_deviation,
                         const ImageShape& shape) {
  Background background{border_level(mean, shape)};
  const int level = grey_of(background.colour);
  background.clear =
      (level <= kNear || level >= 255 - kNear) && grey_of(border_level(standard_deviation, shape)) <= kNear;
  return background;
}

bool is_inverted(const image::Picture& picture, const Background& background) {
  if (!background.clear || is_blank(picture)) return false;
  const int level = is_transparent_around(picture)
                        ? 255 - grey_of(ink_of(picture))
                        : grey_of(image::border_level(flatten(picture, background.colour, false)));
  const int wanted = grey_of(background.colour);
  return 2 * std::abs(level - (255 - wanted)) < std::abs(level - wanted);
}

}  // namespace mnist_dist::data
