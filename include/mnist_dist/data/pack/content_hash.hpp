// The identity of a data set: what `content_sha256` is.
//
// The SHA-256 of this text, where a number stands for its decimal digits and SHA for 64 hexadecimal digits:
//
//     mnist-dist dataset content 1
//     height H width W channels C
//     classes SHA                            of every class name followed by a zero byte
//     training rows N images SHA labels SHA  of the pixels in row order; of the labels as 32-bit
//     little-endian integers testing rows N images SHA labels SHA
//     holdout rows N SHA                     of their numbers as 64-bit little-endian integers; only where the data
//     set names its holdout
//
// with a line feed after every line (and without the remarks). It depends on the decoded rows and their
// order, and on nothing else: not on compression, chunks or file names.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "mnist_dist/core/sha256.hpp"
#include "mnist_dist/data/dataset_file.hpp"

namespace mnist_dist::data {

/// Is fed the rows piece by piece. Local.
class ContentHash {
 public:
  ContentHash(const ImageShape& shape, std::span<const std::string> classes);

  /// The next rows of a split: [labels.size() x shape.size()] pixels.
  void add_rows(Split split, std::span<const std::uint8_t> pixels, std::span<const std::int32_t> labels);
  /// The hash as 64 hexadecimal digits. Nothing can be added afterwards. @param holdout_rows as DatasetFile has them
  [[nodiscard]] std::string finish(std::span<const std::uint64_t> holdout_rows);

 private:
  struct SplitHash {
    std::size_t rows = 0;
    Sha256 images;
    Sha256 labels;
  };

  std::string header_;
  std::array<SplitHash, 2> splits_;
};

}  // namespace mnist_dist::data
