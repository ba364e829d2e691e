#include "mnist_dist/core/base64.hpp"

#include <openssl/evp.h>

namespace mnist_dist {

std::string base64(std::span<const std::byte> bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  // It ends what it writes with a zero, which is where the string has its own.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return text;
}

}  // namespace mnist_dist
