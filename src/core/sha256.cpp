#include "mnist_dist/core/sha256.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <vector>

#include "mnist_dist/core/error.hpp"

namespace mnist_dist {

struct Sha256::State {
  struct Free {
    void operator()(EVP_MD_CTX* owned) const { EVP_MD_CTX_free(owned); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

namespace {

void check(bool success) {
  if (!success) throw Error(ExitCode::bug, "libcrypto refused to compute a SHA-256");
}

}  // namespace

Sha256::Sha256() : state_(std::make_unique<State>()) {
  check(state_->context != nullptr && EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1);
}
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
  check(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

void Sha256::update(std::string_view text) {
  update(std::as_bytes(std::span(text)));
}

std::string Sha256::finish() {
  std::array<unsigned char, 32> digest{};
  check(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr) == 1);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

std::string sha256_of_file(const std::filesystem::path& path, std::uintmax_t size) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> piece(std::min<std::uintmax_t>(size, std::uintmax_t{1} << 20));
  Sha256 hash;
  while (size > 0) {
    const auto wanted = static_cast<std::streamsize>(std::min<std::uintmax_t>(size, piece.size()));
    if (!file.read(piece.data(), wanted))
      throw file_error(fmt::format("cannot read {}", printable(path.string())), EIO);
    hash.update(std::string_view(piece.data(), static_cast<std::size_t>(wanted)));
    size -= static_cast<std::uintmax_t>(wanted);
  }
  return hash.finish();
}

}  // namespace mnist_dist
