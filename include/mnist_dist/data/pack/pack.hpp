// Packs labelled images into a data set file: `h5pack pack`.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/pack/image_source.hpp"

namespace mnist_dist::data {

struct ImageSize {
  std::size_t height = 0;
  std::size_t width = 0;
};

/// What images that differ in size are resampled to when no size was asked for.
inline constexpr ImageSize kDefaultSize{28, 28};

enum class BadImage { fail, skip };

struct PackOptions {
  /// Without it: the images' own size when they agree, else kDefaultSize.
  std::optional<ImageSize> size = std::nullopt;
  bool colour = false;
  unsigned jobs = 1;  ///< threads that decode, at least 1
  int gzip = 0;       ///< 0 (none) to 9
  /// The share of each class's training images that become test images, in [0, 1); 0 for none (pack/test_share.hpp).
  double test_share = 0;
  BadImage on_bad_image = BadImage::fail;
  /// Is told how many of all rows are done; may throw to give up. Called on the calling thread.
  std::function<void(std::size_t done, std::size_t total)> progress = [](std::size_t, std::size_t) {};
  /// Is told of every image that is skipped, with the reason. Called on the calling thread.
  std::function<void(const std::string& message)> warn = [](const std::string&) {};
};

struct PackResult {
  ImageShape shape;
  std::size_t training_rows = 0;
  std::size_t testing_rows = 0;
  std::size_t holdout_rows = 0;  ///< of the training rows
  std::size_t skipped_images = 0;
  bool sizes_differ = false;  ///< no size was asked for and the images had several
  std::string content_sha256;
};

/// Writes `target` from all images of `source`: in each split in an order that is shuffled by a fixed seed.
/// Local.
///
/// Images are decoded while others are written, so memory holds a few chunks of rows whatever their number.
/// The file's bytes do not depend on `jobs`. When it throws, nothing remains and an older `target` stays as
/// it was.
/// @throws Error file_system: `target` cannot be written, an image cannot be read; bad_data: an image is
/// damaged, no training image remains; usage: options.test_share where the source has test images
PackResult pack(const ImageSource& source, const std::filesystem::path& target, const PackOptions& options);

}  // namespace mnist_dist::data
