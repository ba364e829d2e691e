#include "unit_pictures.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "mnist_dist/image/resample.hpp"

namespace mnist_dist::report {
namespace {

constexpr std::size_t kMostUnits = 100;
constexpr std::size_t kMostBytes = 100'000;
constexpr std::size_t kLongestSide = 32;

float value_of(const run::Model& model, std::size_t pixel, std::size_t units, std::size_t unit) {
  return model.parameters[pixel * units + unit] * model.standard_deviation[pixel];
}

/// The sums of squares, by unit.
std::vector<double> strengths(const run::Model& model, std::size_t units) {
  std::vector<double> sums(units);
  for (std::size_t pixel = 0; pixel < model.image_shape.size(); ++pixel) {
    for (std::size_t unit = 0; unit < units; ++unit) {
      const auto value = static_cast<double>(value_of(model, pixel, units, unit));
      sums[unit] += value * value;
    }
  }
  return sums;
}

image::Image draw_unit(const run::Model& model, std::size_t units, std::size_t unit) {
  const auto [height, width, channels] = model.image_shape;
  float largest = 0;
  for (std::size_t i = 0; i < model.image_shape.size(); ++i) {
    largest = std::max(largest, std::fabs(value_of(model, i, units, unit)));
  }
  image::Image picture{height, width, channels, std::vector<std::uint8_t>(model.image_shape.size(), 128)};
  if (!(largest > 0)) return picture;
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
    picture.pixels[i] = static_cast<std::uint8_t>(128 + std::lround(127 * value_of(model, i, units, unit) / largest));
  }
  return picture;
}

}  // namespace

UnitPictures draw_units(const run::Model& model) {
  const auto [height, width, channels] = model.image_shape;
  const double scale = std::min(1.0, static_cast<double>(kLongestSide) / static_cast<double>(std::max(height, width)));
  const auto scaled = [&](std::size_t side) {
    return std::max(std::size_t{1}, static_cast<std::size_t>(scale * static_cast<double>(side)));
  };
  const std::size_t units =
      model.architecture.hidden.empty() ? model.architecture.outputs : model.architecture.hidden.front();
  UnitPictures pictures{units, scaled(height), scaled(width), std::vector<std::size_t>(units), {}};
  std::iota(pictures.shown.begin(), pictures.shown.end(), std::size_t{0});
  const std::vector<double> strength = strengths(model, units);
  std::ranges::stable_sort(pictures.shown, std::ranges::greater{}, [&](std::size_t unit) { return strength[unit]; });
  const std::size_t room = kMostBytes / (pictures.height * pictures.width * channels);
  pictures.shown.resize(std::min({units, kMostUnits, room}));
  for (const std::size_t unit : pictures.shown) {
    const image::Image picture = image::resample(draw_unit(model, units, unit), pictures.height, pictures.width);
    pictures.pixels.insert(pictures.pixels.end(), picture.pixels.begin(), picture.pixels.end());
  }
  return pictures;
}

}  // namespace mnist_dist::report
