// What `h5pack pack` packs: labelled images in two splits, wherever they come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/image/image.hpp"

namespace mnist_dist::data {

/// Labelled images that are read one by one, in any order. Local; all calls are safe from any thread.
class ImageSource {
 public:
  ImageSource() = default;
  ImageSource(const ImageSource&) = delete;
  ImageSource& operator=(const ImageSource&) = delete;
  virtual ~ImageSource() = default;

  /// In byte order; a label is an index into it.
  [[nodiscard]] virtual const std::vector<std::string>& classes() const = 0;
  [[nodiscard]] virtual std::size_t rows(Split split) const = 0;
  /// @param row below rows(split), here and in what follows
  [[nodiscard]] virtual std::int32_t label(Split split, std::size_t row) const = 0;
  /// The image's path relative to the source's folder, as valid UTF-8.
  [[nodiscard]] virtual std::string name(Split split, std::size_t row) const = 0;
  /// @throws Error file_system: cannot be read; bad_data: not a whole image. The message names the file.
  [[nodiscard]] virtual image::Image image(Split split, std::size_t row) const = 0;
  /// Whether a training row is kept back for validation by whoever sorted the images.
  [[nodiscard]] virtual bool is_held_out(std::size_t /*row*/) const { return false; }
  /// What lies beside the images and is not used, counted by kind: "3 GIF files, 1 nested folder"; empty: nothing.
  [[nodiscard]] virtual std::string ignored() const { return ""; }
};

/// Finds out what `root` holds: a folder per split, the MNIST IDX files, or class folders, in this order.
/// @throws Error file_system: cannot be read; bad_data: holds no images, or contradicts itself
[[nodiscard]] std::unique_ptr<ImageSource> open_image_source(const std::filesystem::path& root);

}  // namespace mnist_dist::data
