#include "mnist_dist/data/image_rows.hpp"

#include <sys/mman.h>

#include <algorithm>

#include "mnist_dist/core/memory.hpp"

namespace mnist_dist::data {
namespace {

// Rows that are read at once; those that were not asked for are dropped again.
constexpr std::size_t kRowsPerRead = 1024;

/// Memory in huge pages, where the system has them: rows are read in random order, and each small page would have to be
/// looked up anew.
std::uint8_t* allocate_pixels(std::size_t size) {
  constexpr std::size_t kHugePage = std::size_t{1} << 21;
  const std::size_t rounded = (size + kHugePage - 1) / kHugePage * kHugePage;
  void* memory = std::aligned_alloc(kHugePage, std::max(rounded, kHugePage));
  if (memory == nullptr) throw_out_of_memory("images", rounded);
  madvise(memory, rounded, MADV_HUGEPAGE);  // a wish: what it returns is of no consequence
  return static_cast<std::uint8_t*>(memory);
}

}  // namespace

ImageRows::ImageRows(const DatasetFile& file, Split split, std::span<const std::uint64_t> row_ids,
                     std::span<const std::int32_t> labels)
    : row_size_(file.image_shape().size()),
      row_ids_(row_ids.begin(), row_ids.end()),
      pixels_(allocate_pixels(row_ids.size() * row_size_)) {
  std::vector<std::uint8_t> block;
  std::size_t next = 0;
  while (next < row_ids.size()) {
    const std::uint64_t first = row_ids[next];
    const auto after =
        std::lower_bound(row_ids.begin() + static_cast<std::ptrdiff_t>(next), row_ids.end(), first + kRowsPerRead);
    const auto end = static_cast<std::size_t>(after - row_ids.begin());
    block.resize((row_ids[end - 1] + 1 - first) * row_size_);
    file.read_images(split, first, block);
    for (; next < end; ++next) {
      std::copy_n(block.begin() + static_cast<std::ptrdiff_t>((row_ids[next] - first) * row_size_), row_size_,
                  pixels_.get() + next * row_size_);
    }
  }
  for (const std::uint64_t row : row_ids) labels_.push_back(labels[row]);
}

void ImageRows::prefetch(std::size_t index) const {
  constexpr std::size_t kCacheLine = 64;
  const std::span<const std::uint8_t> row = pixels(index);
  for (std::size_t i = 0; i < row.size(); i += kCacheLine) __builtin_prefetch(row.data() + i);
}

void Batch::set_row(std::size_t row, const ImageRows& source, std::size_t index, const Standardizer& standardizer,
                    Augmentation* augmentation) {
  std::span<const std::uint8_t> pixels = source.pixels(index);
  if (augmentation != nullptr) {
    changed_.resize(pixels.size());
    augmentation->apply(source.row_id(index), pixels, changed_);
    pixels = changed_;
  }
  standardizer.scale(pixels, values_.row(row));
  row_ids_[row] = source.row_id(index);
  labels_[row] = source.label(index);
}

void Batch::append(const ImageRows& source, std::span<const std::uint32_t> indices, const Standardizer& standardizer,
                   Augmentation* augmentation) {
  // Rows lie anywhere in memory: they are asked for while others are at work.
  constexpr std::size_t kRowsAhead = 4;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (i + kRowsAhead < indices.size()) source.prefetch(indices[i + kRowsAhead]);
    set_row(rows_++, source, indices[i], standardizer, augmentation);
  }
}

void Batch::load(const ImageRows& source, std::size_t first, std::size_t count, const Standardizer& standardizer) {
  rows_ = count;
  for (std::size_t row = 0; row < rows_; ++row) set_row(row, source, first + row, standardizer, nullptr);
}

}  // namespace mnist_dist::data
