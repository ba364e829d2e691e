#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "mnist_dist/data/background.hpp"
#include "mnist_dist/data/image_reader.hpp"

using namespace mnist_dist;

namespace {

constexpr data::ImageShape kGrey{9, 9, 1};

/// A data set with one level at the border of its images and another one within.
data::Background background(float border, float middle, float deviation, const data::ImageShape& shape = kGrey) {
  std::vector<float> mean;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::size_t y = i / shape.channels / shape.width;
    const std::size_t x = i / shape.channels % shape.width;
    const bool inside = y > 0 && x > 0 && y + 1 < shape.height && x + 1 < shape.width;
    mean.push_back(inside ? middle : border);
  }
  return data::background_of(mean, std::vector<float>(shape.size(), deviation), shape);
}

/// A square of ink in the middle. All levels are of 0 to 255.
image::Picture picture(unsigned paper, unsigned paper_opacity, unsigned ink) {
  image::Picture result{9, 9, 1, {}};
  for (std::size_t i = 0; i < 81; ++i) {
    const bool inside = i / 9 > 2 && i / 9 < 6 && i % 9 > 2 && i % 9 < 6;
    const auto level = static_cast<std::uint16_t>(257 * (inside ? ink : paper));
    result.samples.insert(result.samples.end(), 3, level);
    result.samples.push_back(static_cast<std::uint16_t>(257 * (inside ? 255 : paper_opacity)));
  }
  return result;
}

}  // namespace

TEST_CASE("a data set's background is that of its border, clear where it is nearly black or white and all alike") {
  CHECK(background(0.4F, 120, 0).colour == image::Colour{0, 0, 0});
  CHECK(background(0.5F, 120, 0).colour == image::Colour{1, 1, 1});
  CHECK(background(255, 120, 0).colour == image::Colour{255, 255, 255});
  CHECK(background(0, 120, 20).clear);
  CHECK(background(63, 120, 63).clear);
  CHECK(background(192, 120, 10).clear);
  CHECK_FALSE(background(64, 0, 10).clear);
  CHECK_FALSE(background(191, 0, 10).clear);
  CHECK_FALSE(background(0, 0, 64).clear);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(background(nan, nan, nan).colour == image::Colour{0, 0, 0});
  CHECK(background(1e30F, 0, 0).colour == image::Colour{255, 255, 255});
}

TEST_CASE("a colour background has a colour") {
  std::vector<float> mean;
  for (int i = 0; i < 9; ++i) mean.insert(mean.end(), {10, 20, 30});
  const data::Background found = data::background_of(mean, std::vector<float>(27, 1), {3, 3, 3});
  CHECK(found.colour == image::Colour{10, 20, 30});
  CHECK(found.clear);
}

TEST_CASE("a picture is inverted where its border is clearly the opposite of the data's background") {
  const data::Background black = background(0, 100, 0);
  const data::Background white = background(255, 100, 0);
  CHECK(is_inverted(picture(255, 255, 0), black));
  CHECK(is_inverted(picture(171, 255, 0), black));
  CHECK_FALSE(is_inverted(picture(170, 255, 0), black));
  CHECK_FALSE(is_inverted(picture(0, 255, 255), black));
  CHECK_FALSE(is_inverted(picture(255, 255, 0), white));
  CHECK(is_inverted(picture(0, 255, 255), white));
  CHECK_FALSE(is_inverted(picture(255, 255, 0), background(120, 100, 60)));
}

TEST_CASE("on transparency the ink tells") {
  const data::Background black = background(0, 100, 0);
  const data::Background white = background(255, 100, 0);
  for (const unsigned hidden : {0U, 255U}) {  // the colour of what is not seen tells nothing
    CHECK(is_inverted(picture(hidden, 0, 0), black));
    CHECK_FALSE(is_inverted(picture(hidden, 0, 255), black));
    CHECK_FALSE(is_inverted(picture(hidden, 0, 0), white));
    CHECK(is_inverted(picture(hidden, 0, 255), white));
  }
  image::Picture nothing = picture(0, 0, 0);
  for (std::size_t i = 3; i < nothing.samples.size(); i += 4) nothing.samples[i] = 0;
  CHECK_FALSE(is_inverted(nothing, black));
  CHECK_FALSE(is_inverted(nothing, white));
}

TEST_CASE("a row has the data's background and ink, unless it is told otherwise") {
  const data::Background black = background(0, 100, 0);
  const auto row = [&](const image::Picture& from, data::Inversion inversion) {
    return row_of_picture(from, kGrey, {black, inversion, false});
  };
  const std::vector<std::uint8_t> right = row(picture(0, 255, 255), data::Inversion::no).pixels;
  CHECK(right[0] == 0);
  CHECK(right[40] == 255);
  const auto check = [&](const image::Picture& from, data::Inversion inversion, bool inverted, bool same) {
    const data::PictureRow found = row(from, inversion);
    CHECK(found.inverted == inverted);
    CHECK((found.pixels == right) == same);
  };
  check(picture(0, 255, 255), data::Inversion::automatic, false, true);
  check(picture(255, 255, 0), data::Inversion::automatic, true, true);
  check(picture(0, 0, 0), data::Inversion::automatic, true, true);
  check(picture(255, 255, 0), data::Inversion::no, false, false);
  check(picture(255, 255, 0), data::Inversion::yes, true, true);
  check(picture(0, 0, 0), data::Inversion::no, false, false);
  check(picture(0, 255, 255), data::Inversion::yes, true, false);
}

TEST_CASE("a centred row has the channels and the size of the data, whatever the picture has") {
  const data::ImageShape colour{14, 14, 3};
  const data::Background black = background(0, 100, 0, colour);
  const data::PictureRow row = row_of_picture(picture(255, 255, 0), colour, {black, data::Inversion::automatic, true});
  CHECK(row.inverted);
  REQUIRE(row.pixels.size() == colour.size());
  CHECK(std::vector<std::uint8_t>(row.pixels.begin() + (7 * 14 + 7) * 3, row.pixels.begin() + (7 * 14 + 8) * 3) ==
        std::vector<std::uint8_t>{255, 255, 255});
}
