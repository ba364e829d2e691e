// Training images that never look the same twice: every epoch shows each row turned, scaled, slanted, moved and bent a
// little, at random (Simard, Steinkraus & Platt, "Best practices for convolutional neural networks applied to visual
// document analysis", ICDAR 2003; for plain perceptrons Ciresan, Meier, Gambardella & Schmidhuber, "Deep, big, simple
// neural nets for handwritten digit recognition", Neural Computation 22, 2010).
//
// What a row looks like is a function of the seed, the epoch, the row's id, its pixels and the settings: the same on
// any rank, and in any order. Local.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "mnist_dist/data/augment/affine_map.hpp"
#include "mnist_dist/data/augment/elastic_field.hpp"
#include "mnist_dist/data/augment/image_warp.hpp"
#include "mnist_dist/data/dataset_file.hpp"

namespace mnist_dist::data {

/// How far images are changed, at most; 0: not at all. Every amount is drawn uniformly, either way, for each row anew.
/// What is not a matter of single pixels happens about the image's centre.
struct AugmentationSettings {
  /// Degrees, 0 to 180.
  double rotation = 0.0;
  /// A share, 0 to 0.9: with 0.12, width and height grow or shrink by up to 12 %, each for itself.
  double scaling = 0.0;
  /// A share, 0 to 10: a pixel moves sideways by up to this share of its height over the centre.
  double shear = 0.0;
  /// Pixels, 0 to 4096: sideways, and up or down.
  double shift = 0.0;
  /// Pixels, 0 to 4096: what the elastic distortion moves most, it moves exactly so far sideways or up or down, in
  /// every image. (Simard et al. give a factor for the smoothed noise; this is what comes of it.)
  double elastic = 0.0;
  /// Pixels, 1 to 4096: sigma of the Gaussian that smooths the elastic distortion.
  double elastic_smoothing = 5.0;

  /// Whether any image is changed at all.
  [[nodiscard]] bool active() const;
};

/// Changes the rows of one epoch. One thread per object: it owns all the memory that a row needs.
class Augmentation {
 public:
  /// @param shape of the images: 1 or 3 channels
  /// @throws Error (usage) when a setting is out of its bounds
  Augmentation(const ImageShape& shape, const AugmentationSettings& settings, std::uint64_t seed, std::uint32_t epoch);

  /// Draws a row as this epoch shows it: the affine change and the elastic displacements are added up, and the image
  /// is sampled once. Without active settings this is the row itself.
  /// @param row_id below 2^48  @param pixels, warped [height x width x channels], not overlapping
  void apply(std::uint64_t row_id, std::span<const std::uint8_t> pixels, std::span<std::uint8_t> warped);

 private:
  ImageShape shape_;
  AugmentationSettings settings_;
  std::uint64_t seed_;
  std::uint32_t epoch_;
  ImageWarp warp_;
  std::optional<ElasticField> elastic_;  // where the settings ask for it
  std::vector<std::uint32_t> random_;    // a row's random words
};

}  // namespace mnist_dist::data
