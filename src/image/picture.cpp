#include "mnist_dist/image/picture.hpp"

namespace mnist_dist::image {

Picture opaque_picture(const Image& image) {
  Picture picture{image.height, image.width, image.channels, {}};
  picture.samples.reserve(4 * image.height * image.width);
  for (std::size_t pixel = 0; pixel < image.height * image.width; ++pixel) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const std::uint8_t level = image.pixels[image.channels * pixel + (image.channels == 3 ? channel : 0)];
      picture.samples.push_back(static_cast<std::uint16_t>(257 * level));
    }
    picture.samples.push_back(65535);
  }
  return picture;
}

Image flatten(const Picture& picture, const Colour& background, bool inverted) {
  constexpr std::uint64_t kFull = 65535;
  constexpr std::uint64_t kUnit = kFull / 255;  // an 8-bit level in 16 bits
  const bool grey = picture.channels == 1 && background[0] == background[1] && background[0] == background[2];
  Image image{picture.height, picture.width, grey ? std::size_t{1} : std::size_t{3}, {}};
  image.pixels.reserve(image.height * image.width * image.channels);
  for (std::size_t pixel = 0; pixel < image.height * image.width; ++pixel) {
    const std::uint16_t* const sample = &picture.samples[4 * pixel];
    const std::uint64_t opacity = sample[3];
    for (std::size_t channel = 0; channel < image.channels; ++channel) {
      const std::uint64_t colour = inverted ? kFull - sample[channel] : sample[channel];
      const std::uint64_t sum = colour * opacity + background[channel] * kUnit * (kFull - opacity);
      image.pixels.push_back(static_cast<std::uint8_t>((sum * 255 + kFull * kFull / 2) / (kFull * kFull)));
    }
  }
  return image;
}

}  // namespace mnist_dist::image
