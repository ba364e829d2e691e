#include "mnist_dist/core/sealed_bytes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <string>
#include <string_view>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/sha256.hpp"

namespace mnist_dist {
namespace {

constexpr std::string_view kTag = "\nmnist-dist sha256 ";
constexpr std::size_t kSealSize = kTag.size() + 64 + 1;

std::string seal_of(std::span<const std::byte> bytes) {
  return seal_line(sha256_hex(bytes));
}

}  // namespace

std::string seal_line(const std::string& sha256) {
  return std::string(kTag) + sha256 + "\n";
}

Seal seal_of_file(const std::filesystem::path& path) {
  std::error_code failed;
  const std::uintmax_t size = std::filesystem::file_size(path, failed);
  std::ifstream file(path, std::ios::binary);
  if (failed || !file) throw file_error(fmt::format("cannot read {}", printable(path.string())), errno);
  std::string line(kSealSize, '\0');
  if (size < kSealSize || !file.seekg(-static_cast<std::streamoff>(kSealSize), std::ios::end) ||
      !file.read(line.data(), kSealSize) || !line.starts_with(kTag)) {
    return Seal::none;
  }
  return line == seal_line(sha256_of_file(path, size - kSealSize)) ? Seal::whole : Seal::broken;
}

void seal(std::vector<std::byte>& bytes) {
  const std::string line = seal_of(bytes);
  const std::span<const std::byte> line_bytes = std::as_bytes(std::span(line));
  bytes.reserve(bytes.size() + kSealSize);  // no more: they may be a large part of the memory
  bytes.insert(bytes.end(), line_bytes.begin(), line_bytes.end());
}

bool is_sealed_whole(std::span<const std::byte> bytes) {
  if (bytes.size() < kSealSize) return false;
  const std::string line = seal_of(bytes.first(bytes.size() - kSealSize));
  return std::ranges::equal(bytes.last(kSealSize), std::as_bytes(std::span(line)));
}

}  // namespace mnist_dist
