#include "mnist_dist/core/sealed_bytes.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "mnist_dist/core/sha256.hpp"

using namespace mnist_dist;

namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("a seal is one line with the hash of all before it") {
  std::vector<std::byte> sealed = bytes_of("some bytes");
  seal(sealed);
  const std::string hash = sha256_hex(bytes_of("some bytes"));
  CHECK(sealed == bytes_of("some bytes\nmnist-dist sha256 " + hash + "\n"));
}

TEST_CASE("sealed bytes are whole only as they were sealed") {
  for (const std::string_view text : {"", "some bytes", "\nmnist-dist sha256 "}) {
    std::vector<std::byte> sealed = bytes_of(text);
    CHECK(!is_sealed_whole(sealed));
    seal(sealed);
    CHECK(is_sealed_whole(sealed));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
      std::vector<std::byte> other = sealed;
      other[i] ^= std::byte{1};
      CHECK(!is_sealed_whole(other));
      CHECK(!is_sealed_whole(std::span(sealed).first(i)));
      CHECK(!is_sealed_whole(std::span(sealed).subspan(i + 1)));
    }
    sealed.push_back(std::byte{'\n'});
    CHECK(!is_sealed_whole(sealed));
  }
}
