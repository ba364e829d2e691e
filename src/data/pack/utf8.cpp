#include "utf8.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace mnist_dist::data {
namespace {

// The size of the valid sequence that begins at `first`; 0 when there is none.
std::size_t sequence_size(const std::string& text, std::size_t first) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[first + i]); };
  if (byte(0) < 0x80) return 1;
  const std::size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || first + size > text.size()) return 0;
  std::uint32_t code_point = byte(0) & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
    code_point = code_point << 6 | (byte(i) & 0x3fU);
  }
  const std::uint32_t smallest = size == 4 ? 0x10000 : size == 3 ? 0x800 : 0x80;
  const bool surrogate = code_point >= 0xd800 && code_point < 0xe000;
  return code_point >= smallest && code_point <= 0x10ffff && !surrogate ? size : 0;
}

}  // namespace

std::string to_utf8(const std::string& text) {
  if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return text;
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t size = sequence_size(text, i);
    result += size == 0 ? "\xef\xbf\xbd" : text.substr(i, size);
    i += std::max<std::size_t>(size, 1);
  }
  return result;
}

}  // namespace mnist_dist::data
