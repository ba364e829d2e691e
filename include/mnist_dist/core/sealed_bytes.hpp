// Bytes that carry their own SHA-256, so that a file of them can be told whole without anything beside it. Local.
//
// The seal is one line after the bytes: "\nmnist-dist sha256 <64 hexadecimal digits>\n". HDF5 ignores what stands after
// the end that its superblock names, so a sealed HDF5 file opens as it is.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace mnist_dist {

/// Appends the line with the hash of all bytes before it.
void seal(std::vector<std::byte>& bytes);

/// What a file ends in.
enum class Seal {
  none,    ///< no seal
  whole,   ///< the hash of the bytes before it
  broken,  ///< another hash: the file was damaged or changed
};

/// Reads the whole file, in pieces. @throws Error (file_system)
[[nodiscard]] Seal seal_of_file(const std::filesystem::path& path);

/// The seal's line. @param sha256 of the bytes before it
[[nodiscard]] std::string seal_line(const std::string& sha256);

/// Whether `bytes` end in a seal that is that of the bytes before it. False for bytes without a seal.
[[nodiscard]] bool is_sealed_whole(std::span<const std::byte> bytes);

}  // namespace mnist_dist
