// Some rows of a data set in memory: what a rank holds of it. Local.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "mnist_dist/data/augment/augmentation.hpp"
#include "mnist_dist/data/dataset_file.hpp"

namespace mnist_dist::data {

class ImageRows {
 public:
  /// Reads the images of these rows, and no others for longer than a moment. @param row_ids ascending
  /// @param labels of the whole split
  ImageRows(const DatasetFile& file, Split split, std::span<const std::uint64_t> row_ids,
            std::span<const std::int32_t> labels);

  [[nodiscard]] std::size_t size() const { return row_ids_.size(); }
  /// The row's number in the file.
  [[nodiscard]] std::uint64_t row_id(std::size_t index) const { return row_ids_[index]; }
  [[nodiscard]] std::int32_t label(std::size_t index) const { return labels_[index]; }
  [[nodiscard]] std::span<const std::uint8_t> pixels(std::size_t index) const {
    return {pixels_.get() + index * row_size_, row_size_};
  }

 private:
  struct Free {
    void operator()(std::uint8_t* bytes) const { std::free(bytes); }
  };

  std::size_t row_size_;
  std::vector<std::uint64_t> row_ids_;
  std::vector<std::int32_t> labels_;
  std::unique_ptr<std::uint8_t, Free> pixels_;  // [size() x row_size_]
};

/// Rows on their way into the network; used again from batch to batch.
class Batch {
 public:
  /// @param max_rows the most rows of a batch  @param row_size pixels of a row
  Batch(std::size_t max_rows, std::size_t row_size);

  /// Forgets all rows.
  void clear() { rows_ = 0; }
  /// Adds the rows with these indices in `source`, which outlives the batch; there must be room.
  /// @param augmentation changes them first; null for none
  void append(const ImageRows& source, std::span<const std::uint32_t> indices, Augmentation* augmentation = nullptr);
  /// Takes the rows [first, first + count) of `source` instead.
  void load(const ImageRows& source, std::size_t first, std::size_t count);

  /// [rows] of [row_size] pixels each
  [[nodiscard]] std::span<const std::uint8_t* const> pixels() const { return std::span(pixels_).first(rows_); }
  [[nodiscard]] std::span<const std::uint64_t> row_ids() const { return std::span(row_ids_).first(rows_); }
  [[nodiscard]] std::span<const std::int32_t> labels() const { return std::span(labels_).first(rows_); }

 private:
  void add_row(const ImageRows& source, std::size_t index, Augmentation* augmentation);

  std::size_t row_size_;
  std::size_t rows_ = 0;
  std::vector<const std::uint8_t*> pixels_;
  std::vector<std::uint64_t> row_ids_;
  std::vector<std::int32_t> labels_;
  std::vector<std::uint8_t> changed_;  // [rows x row_size] the pixels after augmentation, where there is one
};

}  // namespace mnist_dist::data
