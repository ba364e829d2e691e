// File names are any bytes; the text in a data set is UTF-8.
#pragma once

#include <string>

namespace mnist_dist::data {

/// `text`, with U+FFFD in place of every byte that is not part of valid UTF-8 (RFC 3629). Valid text is
/// unchanged.
[[nodiscard]] std::string to_utf8(const std::string& text);

}  // namespace mnist_dist::data
