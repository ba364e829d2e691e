// SHA-256 (FIPS 180-4), by OpenSSL's libcrypto. Local.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace mnist_dist {

/// A hash that is fed piece by piece.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256();

  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  /// The digest as 64 hexadecimal digits. Nothing can be fed afterwards.
  [[nodiscard]] std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

[[nodiscard]] std::string sha256_hex(std::span<const std::byte> bytes);
/// Of a file's first `size` bytes, read in pieces. @throws Error (file_system), also where it has fewer
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& path, std::uintmax_t size);

}  // namespace mnist_dist
