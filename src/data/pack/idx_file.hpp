// One IDX file, plain or gzip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace mnist_dist::data {

/// The extents of an IDX file of bytes, and its values, row-major.
struct IdxFile {
  std::vector<std::size_t> extents;
  std::vector<std::uint8_t> values;
};

/// Reads an IDX file of unsigned bytes.
/// @param dimensions how many extents it must have
/// @throws Error file_system: cannot be read; bad_data: not such a file, incomplete, damaged, or with
/// something after its end
[[nodiscard]] IdxFile read_idx_file(const std::filesystem::path& path, std::size_t dimensions);

}  // namespace mnist_dist::data
