#include "mnist_dist/image/center_ink.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace mnist_dist::image {
namespace {

using Integer = std::int64_t;

struct Size {
  std::size_t height = 0;
  std::size_t width = 0;
};

struct Box {
  std::size_t top = 0;
  std::size_t left = 0;
  Size size;
};

Integer signed_of(std::size_t value) {
  return static_cast<Integer>(value);
}

/// n / d, rounded down.
Integer floor_quotient(Integer n, Integer d) {
  return n / d - (n % d < 0 ? 1 : 0);
}

/// |sample - level|, summed over a pixel's channels.
Integer distance(const Image& image, std::size_t y, std::size_t x, const Colour& level) {
  const std::uint8_t* const pixel = &image.pixels[(y * image.width + x) * image.channels];
  Integer sum = 0;
  for (std::size_t channel = 0; channel < image.channels; ++channel) sum += std::abs(pixel[channel] - level[channel]);
  return sum;
}

/// Step 2. A box of no size where nothing differs from the paper.
Box box_of_ink(const Image& picture, const Colour& paper) {
  Integer heaviest = 0;
  for (std::size_t y = 0; y < picture.height; ++y) {
    for (std::size_t x = 0; x < picture.width; ++x) heaviest = std::max(heaviest, distance(picture, y, x, paper));
  }
  if (heaviest == 0) return {};
  std::size_t top = picture.height;
  std::size_t left = picture.width;
  std::size_t bottom = 0;
  std::size_t right = 0;
  for (std::size_t y = 0; y < picture.height; ++y) {
    for (std::size_t x = 0; x < picture.width; ++x) {
      if (8 * distance(picture, y, x, paper) < heaviest) continue;
      top = std::min(top, y);
      left = std::min(left, x);
      bottom = std::max(bottom, y);
      right = std::max(right, x);
    }
  }
  return {top, left, {bottom - top + 1, right - left + 1}};
}

/// Step 3.
Size target_size(const Size& box, std::size_t height, std::size_t width) {
  const std::size_t most_rows = std::max<std::size_t>(1, (40 * height + 28) / 56);
  const std::size_t most_columns = std::max<std::size_t>(1, (40 * width + 28) / 56);
  if (most_rows * box.width <= most_columns * box.height) {
    return {most_rows, std::max<std::size_t>(1, (2 * box.width * most_rows + box.height) / (2 * box.height))};
  }
  return {std::max<std::size_t>(1, (2 * box.height * most_columns + box.width) / (2 * box.width)), most_columns};
}

/// What source sample `from` of `count` counts in target sample `to` of `target_count`.
Integer overlap(std::size_t to, std::size_t target_count, std::size_t from, std::size_t count) {
  return signed_of(std::min((to + 1) * count, (from + 1) * target_count)) -
         signed_of(std::max(to * count, from * target_count));
}

/// Step 4, for one sample: S.
Integer weighted_ink(const Image& picture, const Box& box, const Size& target, std::size_t i, std::size_t j,
                     std::size_t channel, const Colour& paper) {
  Integer sum = 0;
  for (std::size_t y = i * box.size.height / target.height; y * target.height < (i + 1) * box.size.height; ++y) {
    const Integer row_weight = overlap(i, target.height, y, box.size.height);
    Integer row_sum = 0;
    for (std::size_t x = j * box.size.width / target.width; x * target.width < (j + 1) * box.size.width; ++x) {
      const std::size_t pixel = (box.top + y) * picture.width + box.left + x;
      const Integer ink = Integer{picture.pixels[pixel * picture.channels + channel]} - paper[channel];
      row_sum += overlap(j, target.width, x, box.size.width) * ink;
    }
    sum += row_weight * row_sum;
  }
  return sum;
}

Image area_average(const Image& picture, const Box& box, const Size& target, const Colour& paper,
                   const Colour& background) {
  const Integer area = signed_of(box.size.height * box.size.width);
  Image result{target.height, target.width, picture.channels, {}};
  for (std::size_t i = 0; i < target.height; ++i) {
    for (std::size_t j = 0; j < target.width; ++j) {
      for (std::size_t channel = 0; channel < picture.channels; ++channel) {
        const Integer sum = weighted_ink(picture, box, target, i, j, channel, paper);
        const Integer value = background[channel] + floor_quotient(2 * sum + area, 2 * area);
        result.pixels.push_back(static_cast<std::uint8_t>(std::clamp<Integer>(value, 0, 255)));
      }
    }
  }
  return result;
}

/// Step 5: where the ink's first pixel comes to in the field, if it has any mass.
void draw_centred(const Image& ink, const Colour& background, Image& field) {
  Integer mass = 0;
  Integer row_moment = 0;
  Integer column_moment = 0;
  for (std::size_t i = 0; i < ink.height; ++i) {
    for (std::size_t j = 0; j < ink.width; ++j) {
      const Integer weight = distance(ink, i, j, background);
      mass += weight;
      row_moment += signed_of(i) * weight;
      column_moment += signed_of(j) * weight;
    }
  }
  if (mass == 0) return;
  const Integer top = signed_of(field.height / 2) - (2 * row_moment + mass) / (2 * mass);
  const Integer left = signed_of(field.width / 2) - (2 * column_moment + mass) / (2 * mass);
  for (std::size_t i = 0; i < ink.height; ++i) {
    for (std::size_t j = 0; j < ink.width; ++j) {
      const Integer y = top + signed_of(i);
      const Integer x = left + signed_of(j);
      if (y < 0 || x < 0 || y >= signed_of(field.height) || x >= signed_of(field.width)) continue;
      const std::size_t pixel = static_cast<std::size_t>(y) * field.width + static_cast<std::size_t>(x);
      std::copy_n(&ink.pixels[(i * ink.width + j) * ink.channels], ink.channels, &field.pixels[pixel * ink.channels]);
    }
  }
}

}  // namespace

Colour border_level(const Image& image) {
  Colour level{};
  for (std::size_t channel = 0; channel < image.channels; ++channel) {
    std::vector<std::uint8_t> samples;
    for (std::size_t y = 0; y < image.height; ++y) {
      const bool whole_row = y == 0 || y + 1 == image.height;
      const std::size_t step = whole_row || image.width == 1 ? 1 : image.width - 1;
      for (std::size_t x = 0; x < image.width; x += step) {
        samples.push_back(image.pixels[(y * image.width + x) * image.channels + channel]);
      }
    }
    const auto median = samples.begin() + (static_cast<std::ptrdiff_t>(samples.size()) - 1) / 2;
    std::ranges::nth_element(samples, median);
    level[channel] = *median;
  }
  if (image.channels == 1) level.fill(level[0]);
  return level;
}

Image center_ink(const Image& picture, std::size_t height, std::size_t width, const Colour& background) {
  Image field{height, width, picture.channels, {}};
  for (std::size_t pixel = 0; pixel < height * width; ++pixel) {
    field.pixels.insert(field.pixels.end(), background.begin(),
                        background.begin() + static_cast<std::ptrdiff_t>(picture.channels));
  }
  const Colour paper = border_level(picture);
  const Box box = box_of_ink(picture, paper);
  if (box.size.height == 0) return field;
  const Size target = target_size(box.size, height, width);
  draw_centred(area_average(picture, box, target, paper, background), background, field);
  return field;
}

}  // namespace mnist_dist::image
