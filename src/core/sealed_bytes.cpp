#include "mnist_dist/core/sealed_bytes.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "mnist_dist/core/sha256.hpp"

namespace mnist_dist {
namespace {

constexpr std::string_view kTag = "\nmnist-dist sha256 ";
constexpr std::size_t kSealSize = kTag.size() + 64 + 1;

std::string seal_of(std::span<const std::byte> bytes) {
  return std::string(kTag) + sha256_hex(bytes) + "\n";
}

}  // namespace

void seal(std::vector<std::byte>& bytes) {
  const std::string line = seal_of(bytes);
  const std::span<const std::byte> line_bytes = std::as_bytes(std::span(line));
  bytes.insert(bytes.end(), line_bytes.begin(), line_bytes.end());
}

bool is_sealed_whole(std::span<const std::byte> bytes) {
  if (bytes.size() < kSealSize) return false;
  const std::string line = seal_of(bytes.first(bytes.size() - kSealSize));
  return std::ranges::equal(bytes.last(kSealSize), std::as_bytes(std::span(line)));
}

}  // namespace mnist_dist
