#include "mnist_dist/data/image_reader.hpp"

#include "mnist_dist/image/image_file.hpp"
#include "mnist_dist/image/resample.hpp"

namespace mnist_dist::data {

std::vector<std::uint8_t> fit_to_shape(image::Image image, const ImageShape& shape) {
  // Grey first and colour last, so that as few samples as possible are resampled.
  if (shape.channels == 1) image = image::to_grey(std::move(image));
  image = image::resample(std::move(image), shape.height, shape.width);
  if (shape.channels == 3) image = image::to_colour(std::move(image));
  return std::move(image.pixels);
}

std::vector<std::uint8_t> read_image_as(const std::filesystem::path& path, const ImageShape& shape) {
  return fit_to_shape(image::read_image(path), shape);
}

}  // namespace mnist_dist::data
