#include "mnist_dist/image/contact_sheet.hpp"

#include <algorithm>

#include "mnist_dist/core/error.hpp"

namespace mnist_dist::image {
namespace {

// The first image, after checking that all the others have its shape.
const Image& check_shapes(std::span<const std::vector<Image>> rows) {
  const Image* first = nullptr;
  for (const std::vector<Image>& row : rows) {
    for (const Image& image : row) {
      if (first == nullptr) first = &image;
      if (image.height != first->height || image.width != first->width || image.channels != first->channels) {
        throw Error(ExitCode::bug, "the images of a contact sheet differ in shape");
      }
    }
  }
  if (first == nullptr) throw Error(ExitCode::bug, "a contact sheet without images");
  return *first;
}

// Draws an image with its first pixel at (top, left), over what was there.
void draw_enlarged(const Image& image, std::size_t enlargement, std::size_t top, std::size_t left, Image& sheet) {
  for (std::size_t y = 0; y < image.height * enlargement; ++y) {
    const std::uint8_t* from = image.pixels.data() + y / enlargement * image.width * image.channels;
    std::uint8_t* to = sheet.pixels.data() + ((top + y) * sheet.width + left) * sheet.channels;
    for (std::size_t x = 0; x < image.width * enlargement; ++x) {
      to = std::copy_n(from + x / enlargement * image.channels, image.channels, to);
    }
  }
}

}  // namespace

Image contact_sheet(std::span<const std::vector<Image>> rows, std::size_t enlargement) {
  const Image& first = check_shapes(rows);
  std::size_t columns = 0;
  for (const std::vector<Image>& row : rows) columns = std::max(columns, row.size());
  const std::size_t row_step = first.height * enlargement + kSheetLine;
  const std::size_t column_step = first.width * enlargement + kSheetLine;
  Image sheet{rows.size() * row_step + kSheetLine, columns * column_step + kSheetLine, first.channels, {}};
  sheet.pixels.resize(sheet.height * sheet.width * sheet.channels, kSheetLineGrey);

  const Image missing{first.height, first.width, first.channels, std::vector<std::uint8_t>(first.pixels.size())};
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      const Image& image = column < rows[row].size() ? rows[row][column] : missing;
      draw_enlarged(image, enlargement, kSheetLine + row * row_step, kSheetLine + column * column_step, sheet);
    }
  }
  return sheet;
}

}  // namespace mnist_dist::image
