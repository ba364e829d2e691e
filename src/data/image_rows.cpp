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

Batch::Batch(std::size_t max_rows, std::size_t row_size)
    : row_size_(row_size), pixels_(max_rows), row_ids_(max_rows), labels_(max_rows) {}

void Batch::add_row(const ImageRows& source, std::size_t index, Augmentation* augmentation) {
  pixels_[rows_] = source.pixels(index).data();
  if (augmentation != nullptr) {
    changed_.resize(pixels_.size() * row_size_);
    const std::span<std::uint8_t> changed = std::span(changed_).subspan(rows_ * row_size_, row_size_);
    augmentation->apply(source.row_id(index), source.pixels(index), changed);
    pixels_[rows_] = changed.data();
  }
  row_ids_[rows_] = source.row_id(index);
  labels_[rows_] = source.label(index);
  ++rows_;
}

void Batch::append(const ImageRows& source, std::span<const std::uint32_t> indices, Augmentation* augmentation) {
  for (const std::uint32_t index : indices) add_row(source, index, augmentation);
}

void Batch::load(const ImageRows& source, std::size_t first, std::size_t count) {
  clear();
  for (std::size_t index = first; index < first + count; ++index) add_row(source, index, nullptr);
}

}  // namespace mnist_dist::data
