#include "exif_orientation.hpp"

#include <libexif/exif-data.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace mnist_dist::image {
namespace {

struct FreeExif {
  void operator()(ExifData* data) const { exif_data_unref(data); }
};

}  // namespace

int exif_orientation(std::span<const std::byte> exif) {
  const std::unique_ptr<ExifData, FreeExif> data(
      exif_data_new_from_data(reinterpret_cast<const unsigned char*>(exif.data()), static_cast<unsigned>(exif.size())));
  if (data == nullptr) return 1;
  const ExifEntry* entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry == nullptr || entry->data == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->size < 2) return 1;
  const int orientation = exif_get_short(entry->data, exif_data_get_byte_order(data.get()));
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

Image turned_upright(Image image, int orientation) {
  if (orientation == 1) return image;
  const bool transposed = orientation >= 5;
  const bool rows_reversed = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool columns_reversed = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  Image result{image.height, image.width, image.channels, std::vector<std::uint8_t>(image.pixels.size())};
  if (transposed) std::swap(result.height, result.width);
  std::uint8_t* next = result.pixels.data();
  for (std::size_t y = 0; y < result.height; ++y) {
    for (std::size_t x = 0; x < result.width; ++x) {
      const std::size_t row = transposed ? x : y;
      const std::size_t column = transposed ? y : x;
      const std::size_t from_row = rows_reversed ? image.height - 1 - row : row;
      const std::size_t from_column = columns_reversed ? image.width - 1 - column : column;
      const std::uint8_t* from = image.pixels.data() + (from_row * image.width + from_column) * image.channels;
      next = std::copy_n(from, image.channels, next);
    }
  }
  return result;
}

}  // namespace mnist_dist::image
