#include "mnist_dist/data/augment/image_warp.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "mnist_dist/core/hot_loop.hpp"

namespace mnist_dist::data {
namespace {

// The source image lies in a black frame: in a buffer whose lines are one pixel longer than the image's, pixel (x, y)
// is at (x + 1, y + 1). The frame's right side is the next line's left one. Every place outside is clamped to the
// middle of the frame's pixels, where nothing of the image is left, so no place needs a check of its own.
std::size_t line_of(const ImageShape& shape) {
  return shape.width + 1;
}
// Every place that a pixel may come from, 0 <= x <= width + 1 and 0 <= y <= height + 1.
std::size_t places_of(const ImageShape& shape) {
  return (shape.height + 2) * line_of(shape) + 1;
}

// A pixel and the one below it.
MNIST_DIST_HOT_LOOP void make_pairs(const std::uint8_t* __restrict padded, std::size_t line, std::size_t count,
                                    std::uint16_t* __restrict pairs) {
  for (std::size_t i = 0; i < count; ++i) pairs[i] = static_cast<std::uint16_t>(padded[i] | padded[i + line] << 8);
}

MNIST_DIST_HOT_LOOP void find_places(const AffineMap& affine_map, const ImageShape& shape, const float* __restrict x,
                                     const float* __restrict y, const float* __restrict x_displacements,
                                     const float* __restrict y_displacements, float scale,
                                     std::uint32_t* __restrict corner, float* __restrict right,
                                     float* __restrict below) {
  const AffineMap map = affine_map;
  const float x_offset = map.x_offset + 1.0F;
  const float y_offset = map.y_offset + 1.0F;
  const auto largest_x = static_cast<float>(shape.width + 1);
  const auto largest_y = static_cast<float>(shape.height + 1);
  const auto line = static_cast<std::int32_t>(line_of(shape));
  const std::size_t count = shape.height * shape.width;
  for (std::size_t i = 0; i < count; ++i) {
    float place_x = map.x_by_x * x[i] + map.x_by_y * y[i] + x_offset + scale * x_displacements[i];
    float place_y = map.y_by_x * x[i] + map.y_by_y * y[i] + y_offset + scale * y_displacements[i];
    // Written so that what is no number ends inside, too.
    place_x = place_x > 0.0F ? place_x : 0.0F;
    place_y = place_y > 0.0F ? place_y : 0.0F;
    place_x = place_x < largest_x ? place_x : largest_x;
    place_y = place_y < largest_y ? place_y : largest_y;
    const auto corner_x = static_cast<std::int32_t>(place_x);
    const auto corner_y = static_cast<std::int32_t>(place_y);
    corner[i] = static_cast<std::uint32_t>(corner_y * line + corner_x);
    right[i] = place_x - static_cast<float>(corner_x);
    below[i] = place_y - static_cast<float>(corner_y);
  }
}

// Two pairs side by side, fetched by one load: where each of the four pixels then is.
constexpr bool kLittleEndian = std::endian::native == std::endian::little;
constexpr unsigned kUpperLeft = kLittleEndian ? 0 : 16;
constexpr unsigned kUpperRight = 16 - kUpperLeft;

inline float byte_of(std::uint32_t pixels, unsigned shift) {
  return static_cast<float>(static_cast<std::int32_t>((pixels >> shift) & 0xffU));
}

MNIST_DIST_HOT_LOOP void sample(const std::uint16_t* __restrict pairs, const std::uint32_t* __restrict corner,
                                const float* __restrict right, const float* __restrict below, std::size_t count,
                                std::uint8_t* __restrict warped) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t pixels = 0;
    std::memcpy(&pixels, pairs + corner[i], sizeof pixels);
    const float left_above = byte_of(pixels, kUpperLeft);
    const float right_above = byte_of(pixels, kUpperRight);
    const float at_left = left_above + below[i] * (byte_of(pixels, kUpperLeft + 8) - left_above);
    const float at_right = right_above + below[i] * (byte_of(pixels, kUpperRight + 8) - right_above);
    // Never negative, and lround() is no vector instruction. NOLINTNEXTLINE(bugprone-incorrect-roundings)
    warped[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(at_left + right[i] * (at_right - at_left) + 0.5F));
  }
}

// std::copy_n for rows that are too short for its call to be worth it.
void copy_row(const std::uint8_t* from, std::size_t width, std::uint8_t* to) {
  constexpr std::size_t kPiece = 16;
  if (width < kPiece) {
    std::copy_n(from, width, to);
    return;
  }
  for (std::size_t x = 0; x + kPiece <= width; x += kPiece) std::memcpy(to + x, from + x, kPiece);
  std::memcpy(to + width - kPiece, from + width - kPiece, kPiece);
}

}  // namespace

ImageWarp::ImageWarp(const ImageShape& shape)
    : shape_(shape),
      area_(shape.height * shape.width),
      no_displacements_(area_),
      corner_(area_),
      right_(area_),
      below_(area_),
      pairs_(places_of(shape) + 1),
      padded_(pairs_.size() + line_of(shape)),
      plane_(shape.channels == 1 ? 0 : area_) {
  for (std::size_t row = 0; row < shape.height; ++row) {
    for (std::size_t column = 0; column < shape.width; ++column) {
      column_of_.push_back(static_cast<float>(column));
      row_of_.push_back(static_cast<float>(row));
    }
  }
}

void ImageWarp::load_channel(std::span<const std::uint8_t> pixels, std::size_t channel) {
  const std::size_t line = line_of(shape_);
  for (std::size_t row = 0; row < shape_.height; ++row) {
    const std::uint8_t* from = pixels.data() + row * shape_.width * shape_.channels;
    std::uint8_t* to = padded_.data() + (row + 1) * line + 1;
    if (shape_.channels == 1) {
      copy_row(from, shape_.width, to);
    } else {
      for (std::size_t x = 0; x < shape_.width; ++x) to[x] = from[x * shape_.channels + channel];
    }
  }
  make_pairs(padded_.data(), line, pairs_.size(), pairs_.data());
}

void ImageWarp::apply(const AffineMap& map, const Displacements& displacements, std::span<const std::uint8_t> pixels,
                      std::span<std::uint8_t> warped) {
  const bool displaced = !displacements.x.empty();
  const float* x_displacements = displaced ? displacements.x.data() : no_displacements_.data();
  const float* y_displacements = displaced ? displacements.y.data() : no_displacements_.data();
  find_places(map, shape_, column_of_.data(), row_of_.data(), x_displacements, y_displacements, displacements.scale,
              corner_.data(), right_.data(), below_.data());
  for (std::size_t channel = 0; channel < shape_.channels; ++channel) {
    load_channel(pixels, channel);
    std::uint8_t* plane = shape_.channels == 1 ? warped.data() : plane_.data();
    sample(pairs_.data(), corner_.data(), right_.data(), below_.data(), area_, plane);
    if (shape_.channels > 1) {
      for (std::size_t i = 0; i < area_; ++i) warped[i * shape_.channels + channel] = plane[i];
    }
  }
}

}  // namespace mnist_dist::data
