// Bytes as text (RFC 4648, section 4), by OpenSSL's libcrypto. Local.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace mnist_dist {

/// On one line, padded with `=`: four characters for every three bytes.
[[nodiscard]] std::string base64(std::span<const std::byte> bytes);

}  // namespace mnist_dist
