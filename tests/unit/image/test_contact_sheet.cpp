#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "message_of.hpp"
#include "mnist_dist/data/augment/augmentation_sheet.hpp"
#include "mnist_dist/data/pack/dataset_writer.hpp"
#include "mnist_dist/image/contact_sheet.hpp"
#include "mnist_dist/image/image_file.hpp"
#include "mnist_dist/image/png.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;
using image::Image;
using image::kSheetLine;
using Pixels = std::vector<std::uint8_t>;

namespace {

Image plain(std::size_t height, std::size_t width, const Pixels& colour) {
  Image image{height, width, colour.size(), {}};
  for (std::size_t i = 0; i < height * width; ++i) {
    image.pixels.insert(image.pixels.end(), colour.begin(), colour.end());
  }
  return image;
}

Pixels pixel_at(const Image& image, std::size_t y, std::size_t x) {
  const auto first = image.pixels.begin() + static_cast<std::ptrdiff_t>((y * image.width + x) * image.channels);
  return {first, first + static_cast<std::ptrdiff_t>(image.channels)};
}

// The image at this place of a sheet, at its own size again; every pixel of an enlarged one must be the same.
Image cut_out(const Image& sheet, std::size_t row, std::size_t column, const Image& like, std::size_t enlargement) {
  Image image{like.height, like.width, like.channels, {}};
  const std::size_t top = kSheetLine + row * (like.height * enlargement + kSheetLine);
  const std::size_t left = kSheetLine + column * (like.width * enlargement + kSheetLine);
  for (std::size_t y = 0; y < like.height; ++y) {
    for (std::size_t x = 0; x < like.width; ++x) {
      const Pixels pixel = pixel_at(sheet, top + y * enlargement, left + x * enlargement);
      for (std::size_t i = 0; i < enlargement * enlargement; ++i) {
        CHECK(pixel_at(sheet, top + y * enlargement + i / enlargement, left + x * enlargement + i % enlargement) ==
              pixel);
      }
      image.pixels.insert(image.pixels.end(), pixel.begin(), pixel.end());
    }
  }
  return image;
}

}  // namespace

TEST_CASE("a contact sheet shows every image at its place, with lines between them") {
  for (const std::size_t channels : {std::size_t{1}, std::size_t{3}}) {
    for (const std::size_t enlargement : {std::size_t{1}, std::size_t{3}}) {
      std::vector<std::vector<Image>> rows(3);
      for (std::size_t i = 0; i < 6; ++i) {
        Image image{4, 5, channels, Pixels(20 * channels)};
        std::iota(image.pixels.begin(), image.pixels.end(), static_cast<std::uint8_t>(100 + 20 * i));
        rows[i / 2].push_back(image);
      }
      const Image sheet = image::contact_sheet(rows, enlargement);
      CHECK(sheet.height == 3 * 4 * enlargement + 4 * kSheetLine);
      CHECK(sheet.width == 2 * 5 * enlargement + 3 * kSheetLine);
      CHECK(sheet.channels == channels);
      REQUIRE(sheet.pixels.size() == sheet.height * sheet.width * channels);
      for (std::size_t i = 0; i < 6; ++i) {
        CHECK(cut_out(sheet, i / 2, i % 2, rows[0][0], enlargement).pixels == rows[i / 2][i % 2].pixels);
      }
      const auto grey = std::count(sheet.pixels.begin(), sheet.pixels.end(), image::kSheetLineGrey);
      CHECK(static_cast<std::size_t>(grey) ==
            (sheet.height * sheet.width - 6 * 20 * enlargement * enlargement) * channels);
    }
  }
}

TEST_CASE("what is missing at the end of a contact sheet's row is black") {
  const Image white = plain(2, 3, {255, 255, 255});
  const std::vector<std::vector<Image>> rows = {{white}, {white, white}, {}};
  const Image sheet = image::contact_sheet(rows, 1);
  CHECK(cut_out(sheet, 0, 0, white, 1).pixels == white.pixels);
  CHECK(cut_out(sheet, 0, 1, white, 1).pixels == plain(2, 3, {0, 0, 0}).pixels);
  CHECK(cut_out(sheet, 1, 1, white, 1).pixels == white.pixels);
  CHECK(cut_out(sheet, 2, 0, white, 1).pixels == plain(2, 3, {0, 0, 0}).pixels);
}

TEST_CASE("a contact sheet of nothing, or of images that do not fit together, is a bug") {
  const auto failure = [](const std::vector<std::vector<Image>>& rows) {
    return message_of(ExitCode::bug, [&] { (void)image::contact_sheet(rows, 1); });
  };
  CHECK(failure({{}, {}}) == "a contact sheet without images");
  CHECK(failure({{plain(2, 3, {1})}, {plain(3, 2, {1})}}) == "the images of a contact sheet differ in shape");
  CHECK(failure({{plain(2, 3, {1}), plain(2, 3, {1, 1, 1})}}) == "the images of a contact sheet differ in shape");
}

TEST_CASE("an augmentation sheet shows each row as it is and as its epochs show it") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  const data::ImageShape shape{12, 10, 3};
  constexpr std::size_t kRows = 5;
  Pixels pixels(kRows * shape.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * i >> 3);
  const std::vector<std::int32_t> labels(kRows, 0);
  {
    data::DatasetWriter writer(path, shape, {"only"}, 0);
    writer.append(data::Split::training, pixels, labels, std::vector<std::string>(kRows, "name"));
    writer.finish();
  }
  const std::vector<std::uint64_t> ids = {1, 4};
  const data::ImageRows rows(data::DatasetFile(path), data::Split::training, ids, labels);
  const data::AugmentationSettings settings{.rotation = 20.0, .elastic = 2.0};
  const Image sheet = data::augmentation_sheet(rows, shape, settings, 9, 3, 2);

  Image expected{shape.height, shape.width, shape.channels, Pixels(shape.size())};
  CHECK(sheet.height == ids.size() * shape.height * 2 + 3 * kSheetLine);
  CHECK(sheet.width == 4 * shape.width * 2 + 5 * kSheetLine);
  for (std::size_t row = 0; row < ids.size(); ++row) {
    const std::span<const std::uint8_t> original = std::span(pixels).subspan(ids[row] * shape.size(), shape.size());
    CHECK(std::ranges::equal(cut_out(sheet, row, 0, expected, 2).pixels, original));
    for (std::uint32_t epoch = 1; epoch <= 3; ++epoch) {
      data::Augmentation(shape, settings, 9, epoch).apply(ids[row], original, expected.pixels);
      CHECK(cut_out(sheet, row, epoch, expected, 2).pixels == expected.pixels);
    }
  }
}

TEST_CASE("a PNG file that is written atomically can be read, and its folder holds nothing else") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "sheet.png";
  for (const Pixels& colour : {Pixels{7}, Pixels{1, 2, 3}}) {
    const Image image = plain(5, 4, colour);
    image::write_png_atomically(path, image);
    CHECK(image::read_image(path).pixels == image.pixels);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  }
  const std::filesystem::path nowhere = folder.path() / "no" / "x.png";
  CHECK(message_of(ExitCode::file_system, [&] {
          image::write_png_atomically(nowhere, plain(1, 1, {0}));
        }).find(nowhere.string()) != std::string::npos);
}
