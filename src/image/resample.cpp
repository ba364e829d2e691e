#include "mnist_dist/image/resample.hpp"

#include <fmt/format.h>

#include "mnist_dist/core/error.hpp"

#define STB_IMAGE_RESIZE_STATIC
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#include <stb_image_resize.h>

namespace mnist_dist::image {

Image resample(Image image, std::size_t height, std::size_t width) {
  if (image.height == height && image.width == width) return image;
  Image result{height, width, image.channels, std::vector<std::uint8_t>(height * width * image.channels)};
  // The default filter is the one that the header describes, chosen for each direction.
  const int success = stbir_resize_uint8_generic(
      image.pixels.data(), static_cast<int>(image.width), static_cast<int>(image.height), 0, result.pixels.data(),
      static_cast<int>(width), static_cast<int>(height), 0, static_cast<int>(image.channels), STBIR_ALPHA_CHANNEL_NONE,
      0, STBIR_EDGE_CLAMP, STBIR_FILTER_DEFAULT, STBIR_COLORSPACE_LINEAR, nullptr);
  if (success == 0) {
    throw Error(ExitCode::bug, fmt::format("cannot resample an image of {}x{} pixels to {}x{}", image.width,
                                           image.height, width, height));
  }
  return result;
}

Image to_grey(Image image) {
  if (image.channels == 1) return image;
  Image grey{image.height, image.width, 1, std::vector<std::uint8_t>(image.height * image.width)};
  for (std::size_t i = 0; i < grey.pixels.size(); ++i) {
    const std::uint8_t* colour = &image.pixels[3 * i];
    grey.pixels[i] = static_cast<std::uint8_t>((299U * colour[0] + 587U * colour[1] + 114U * colour[2] + 500U) / 1000U);
  }
  return grey;
}

Image to_colour(Image image) {
  if (image.channels == 3) return image;
  Image colour{image.height, image.width, 3, std::vector<std::uint8_t>(image.pixels.size() * 3)};
  for (std::size_t i = 0; i < colour.pixels.size(); ++i) colour.pixels[i] = image.pixels[i / 3];
  return colour;
}

}  // namespace mnist_dist::image
