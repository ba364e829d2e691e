#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "mnist_dist/core/random.hpp"
#include "mnist_dist/image/center_ink.hpp"

using namespace mnist_dist;

namespace {

constexpr image::Colour kBlack = {0, 0, 0};
constexpr image::Colour kWhite = {255, 255, 255};

image::Image plain(std::size_t height, std::size_t width, std::uint8_t value, std::size_t channels = 1) {
  return {height, width, channels, std::vector<std::uint8_t>(height * width * channels, value)};
}

void fill(image::Image& image, std::size_t top, std::size_t left, std::size_t height, std::size_t width,
          std::uint8_t value) {
  for (std::size_t y = top; y < top + height; ++y) {
    std::fill_n(image.pixels.begin() + static_cast<std::ptrdiff_t>((y * image.width + left) * image.channels),
                width * image.channels, value);
  }
}

image::Image inverted(image::Image image) {
  for (std::uint8_t& sample : image.pixels) sample = static_cast<std::uint8_t>(255 - sample);
  return image;
}

/// Ink as strong as this fills a box of 20x20, with its centre of mass in the middle of it.
image::Image random_box() {
  image::Image box = plain(20, 20, 0);
  RandomStream stream({.seed = 4, .purpose = Purpose::initial_weights, .epoch = 0, .id = 0});
  for (std::uint8_t& sample : box.pixels) sample = static_cast<std::uint8_t>(stream.uniform(40.0F, 255.9F));
  return box;
}

/// An image with each pixel of `box` as a square, at (top, left) on a black picture.
image::Image enlarged(const image::Image& box, std::size_t times, std::size_t top, std::size_t left, std::size_t height,
                      std::size_t width) {
  image::Image picture = plain(height, width, 0);
  for (std::size_t y = 0; y < box.height; ++y) {
    for (std::size_t x = 0; x < box.width; ++x) {
      fill(picture, top + times * y, left + times * x, times, times, box.pixels[y * box.width + x]);
    }
  }
  return picture;
}

}  // namespace

TEST_CASE("ink fills a box of 20x20 in 28x28, in proportion in other fields, and its middle comes to the middle") {
  image::Image picture = plain(9, 7, 0);
  fill(picture, 2, 5, 1, 1, 255);
  image::Image expected = plain(28, 28, 0);
  fill(expected, 4, 4, 20, 20, 255);
  CHECK(center_ink(picture, 28, 28, kBlack).pixels == expected.pixels);

  fill(picture, 2, 4, 1, 2, 255);  // two pixels wide, one high
  expected = plain(28, 28, 0);
  fill(expected, 9, 4, 10, 20, 255);
  CHECK(center_ink(picture, 28, 28, kBlack).pixels == expected.pixels);

  expected = plain(8, 14, 0);  // a box of 6x10
  fill(expected, 2, 2, 5, 10, 255);
  CHECK(center_ink(picture, 8, 14, kBlack).pixels == expected.pixels);

  picture = plain(9, 7, 0);
  fill(picture, 2, 3, 5, 1, 255);  // five high, one wide
  expected = plain(28, 28, 0);
  fill(expected, 4, 12, 20, 4, 255);
  CHECK(center_ink(picture, 28, 28, kBlack).pixels == expected.pixels);
}

TEST_CASE("a box is reduced by the area that each pixel covers") {
  image::Image picture = plain(5, 5, 0);  // the box of a field of 3x3 is 2x2: weights of 2/3 and 1/3
  picture.pixels[1 * 5 + 1] = 90;
  picture.pixels[3 * 5 + 3] = 180;
  picture.pixels[2 * 5 + 1] = 102;
  // Column 0: (4 x 90 + 2 x 102) / 9 = 62.7, and 2 x 102 / 9 = 22.7; column 1: 4 x 180 / 9 = 80, below.
  // Their centre of mass lies in row 1 and column 0 (0.62 and 0.48): row 1 stays, column 0 goes to the middle.
  const std::vector<std::uint8_t> expected = {0, 63, 0, 0, 23, 80, 0, 0, 0};
  CHECK(center_ink(picture, 3, 3, kBlack).pixels == expected);
}

TEST_CASE("what is where MNIST's digits are stays as it is, at any size and place that it was drawn") {
  const image::Image box = random_box();
  const image::Image field = center_ink(enlarged(box, 1, 4, 4, 28, 28), 28, 28, kBlack);
  CHECK(center_ink(field, 28, 28, kBlack).pixels == field.pixels);
  std::vector<std::uint8_t> expected = field.pixels;
  for (const std::size_t times : {2U, 3U, 9U}) {
    const image::Image picture = enlarged(box, times, 1, 300 - 20 * times - 1, 200, 300);
    CHECK(center_ink(picture, 28, 28, kBlack).pixels == expected);
  }
  std::ranges::sort(expected);
  std::vector<std::uint8_t> drawn = box.pixels;
  drawn.resize(28 * 28);
  std::ranges::sort(drawn);
  CHECK(expected == drawn);  // the box's own pixels, each once
}

TEST_CASE("ink is what differs from the picture's own border, and the field has the data's background") {
  image::Image picture = plain(12, 12, 40);  // not quite black paper
  fill(picture, 4, 5, 3, 3, 240);
  const image::Image field = center_ink(picture, 28, 28, kBlack);
  CHECK(*std::ranges::max_element(field.pixels) == 200);
  CHECK(std::ranges::count(field.pixels, 200) == 400);
  CHECK(std::ranges::count(field.pixels, 0) == 384);

  const image::Image dark_on_white = center_ink(inverted(picture), 28, 28, kWhite);
  CHECK(dark_on_white.pixels == inverted(field).pixels);
}

TEST_CASE("what is fainter than an eighth of the darkest ink is no part of the box") {
  image::Image picture = plain(40, 40, 0);
  fill(picture, 10, 10, 4, 4, 240);
  const image::Image field = center_ink(picture, 28, 28, kBlack);
  picture.pixels[2 * 40 + 30] = 29;
  CHECK(center_ink(picture, 28, 28, kBlack).pixels == field.pixels);
  picture.pixels[2 * 40 + 30] = 30;
  CHECK(center_ink(picture, 28, 28, kBlack).pixels != field.pixels);
}

TEST_CASE("blank pictures, and pictures of one pixel, row or column") {
  CHECK(center_ink(plain(5, 6, 77), 28, 28, kBlack).pixels == plain(28, 28, 0).pixels);
  CHECK(center_ink(plain(5, 6, 77), 28, 28, kWhite).pixels == plain(28, 28, 255).pixels);
  CHECK(center_ink(plain(1, 1, 9, 3), 2, 2, {1, 2, 3}).pixels ==
        std::vector<std::uint8_t>{1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3});
  image::Image row{1, 5, 1, {0, 0, 200, 0, 0}};
  CHECK(std::ranges::count(center_ink(row, 28, 28, kBlack).pixels, 200) == 400);
  image::Image column{5, 1, 1, {0, 0, 200, 0, 0}};
  CHECK(center_ink(column, 28, 28, kBlack).pixels == center_ink(row, 28, 28, kBlack).pixels);
}

TEST_CASE("ink that is far from the centre of mass is cut off at the field's edge") {
  image::Image picture = plain(40, 40, 0);
  fill(picture, 5, 10, 1, 20, 32);
  fill(picture, 24, 10, 1, 20, 255);  // 20 rows, and nearly all of the mass in the last
  const image::Image field = center_ink(picture, 28, 28, kBlack);
  image::Image expected = plain(28, 28, 0);
  fill(expected, 14 - 17 + 19, 4, 1, 20, 255);  // the centre of mass is in row 16.9; row 0 comes to -3
  CHECK(field.pixels == expected.pixels);
}

TEST_CASE("each channel keeps its colour, and all together decide where the ink is") {
  image::Image picture = plain(20, 20, 10, 3);
  for (std::size_t x = 4; x < 8; ++x) {
    for (std::size_t y = 4; y < 8; ++y) {
      std::uint8_t* const pixel = &picture.pixels[(y * 20 + x) * 3];
      pixel[x < 6 ? 0 : 2] = 110;  // a red half and a blue one
    }
  }
  const image::Image field = center_ink(picture, 28, 28, {20, 30, 40});
  for (std::size_t x = 4; x < 24; ++x) {
    const std::uint8_t* const pixel = &field.pixels[(14 * 28 + x) * 3];
    CHECK(pixel[0] == (x < 14 ? 120 : 20));
    CHECK(pixel[1] == 30);
    CHECK(pixel[2] == (x < 14 ? 40 : 140));
  }
}

TEST_CASE("the level of a border is its lower median, each pixel counted once") {
  const image::Image image{3, 3, 1, {1, 2, 3, 4, 200, 5, 6, 7, 8}};
  CHECK(image::border_level(image) == image::Colour{4, 4, 4});
  CHECK(image::border_level({1, 4, 1, {9, 1, 1, 9}}) == image::Colour{1, 1, 1});
  CHECK(image::border_level({4, 1, 1, {9, 9, 1, 9}}) == image::Colour{9, 9, 9});
  CHECK(image::border_level({2, 1, 3, {1, 20, 3, 2, 10, 5}}) == image::Colour{1, 10, 3});
}
