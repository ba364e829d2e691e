// Writes a data set file (dataset_file.hpp has the layout).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/pack/content_hash.hpp"
#include "mnist_dist/data/pack/pixel_statistics.hpp"
#include "mnist_dist/h5/file.hpp"

namespace mnist_dist::data {

/// A data set in the making: rows are appended, finish() gives the file its name. Local.
///
/// The file's bytes depend on the rows and the compression, not on how they were cut into calls. Without
/// finish() nothing remains and an older file of the name stays as it was.
class DatasetWriter {
 public:
  /// @param gzip 0 (none) to 9
  /// @throws Error (file_system) when the folder does not exist or cannot be written
  DatasetWriter(const std::filesystem::path& target, const ImageShape& shape, std::vector<std::string> classes,
                int gzip);

  /// How many rows make a chunk of the file.
  [[nodiscard]] static std::size_t rows_per_chunk(const ImageShape& shape);

  /// Appends rows to a split: [names.size() x shape.size()] pixels, a label and a name for each.
  /// @throws Error (file_system)
  void append(Split split, std::span<const std::uint8_t> pixels, std::span<const std::int32_t> labels,
              std::span<const std::string> names);
  /// Training rows, ascending, that are the holdout.
  void set_holdout_rows(std::vector<std::uint64_t> rows) { holdout_rows_ = std::move(rows); }
  /// Notes how the test rows were drawn.
  void set_test_share(double share, std::uint64_t seed);
  /// Completes the file, durably. Nothing can be appended afterwards. @return the content hash
  /// @throws Error (file_system)
  std::string finish();

 private:
  struct SplitRows {
    std::vector<std::uint8_t> pending;  // rows that do not fill a chunk yet
    std::vector<std::int32_t> labels;
    std::vector<std::string> names;
  };

  ImageShape shape_;
  std::vector<std::string> classes_;
  AtomicFile target_;
  h5::File file_;
  ContentHash hash_;
  PixelStatistics statistics_;
  std::array<SplitRows, 2> splits_;
  std::vector<std::uint64_t> holdout_rows_;
};

}  // namespace mnist_dist::data
