#include "mnist_dist/data/augment/augmentation_sheet.hpp"

#include <span>
#include <vector>

#include "mnist_dist/image/contact_sheet.hpp"

namespace mnist_dist::data {

image::Image augmentation_sheet(const ImageRows& rows, const ImageShape& shape, const AugmentationSettings& settings,
                                std::uint64_t seed, std::uint32_t epochs, std::size_t enlargement) {
  std::vector<std::vector<image::Image>> images(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::span<const std::uint8_t> pixels = rows.pixels(row);
    images[row].push_back({shape.height, shape.width, shape.channels, {pixels.begin(), pixels.end()}});
  }
  for (std::uint32_t epoch = 1; epoch <= epochs; ++epoch) {
    Augmentation augmentation(shape, settings, seed, epoch);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      image::Image& warped = images[row].emplace_back(images[row].front());
      augmentation.apply(rows.row_id(row), rows.pixels(row), warped.pixels);
    }
  }
  return image::contact_sheet(images, enlargement);
}

}  // namespace mnist_dist::data
