// Bytes that carry their own SHA-256, so that a file of them can be told whole without anything beside it. Local.
//
// The seal is one line after the bytes: "\nmnist-dist sha256 <64 hexadecimal digits>\n". HDF5 ignores what stands after
// the end that its superblock names, so a sealed HDF5 file opens as it is.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace mnist_dist {

/// Appends the line with the hash of all bytes before it.
void seal(std::vector<std::byte>& bytes);

/// Whether `bytes` end in a seal that is that of the bytes before it. False for bytes without a seal.
[[nodiscard]] bool is_sealed_whole(std::span<const std::byte> bytes);

}  // namespace mnist_dist
