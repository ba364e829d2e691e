#include "mnist_dist/data/image_reader.hpp"

#include "mnist_dist/image/center_ink.hpp"
#include "mnist_dist/image/resample.hpp"

namespace mnist_dist::data {

std::vector<std::uint8_t> fit_to_shape(image::Image image, const ImageShape& shape) {
  // Grey first and colour last, so that as few samples as possible are resampled.
  if (shape.channels == 1) image = image::to_grey(std::move(image));
  image = image::resample(std::move(image), shape.height, shape.width);
  if (shape.channels == 3) image = image::to_colour(std::move(image));
  return std::move(image.pixels);
}

PictureRow row_of_picture(const image::Picture& picture, const ImageShape& shape, const PictureHandling& handling) {
  const bool inverted = handling.inversion == Inversion::automatic ? is_inverted(picture, handling.background)
                                                                   : handling.inversion == Inversion::yes;
  image::Image image = image::flatten(picture, handling.background.colour, inverted);
  if (!handling.center) return {fit_to_shape(std::move(image), shape), inverted};
  image = shape.channels == 1 ? image::to_grey(std::move(image)) : image::to_colour(std::move(image));
  return {image::center_ink(image, shape.height, shape.width, handling.background.colour).pixels, inverted};
}

}  // namespace mnist_dist::data
