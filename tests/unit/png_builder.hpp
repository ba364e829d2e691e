// Makes PNG files of any kind, by the book (W3C, "Portable Network Graphics", third edition) and zlib alone: what
// the tests compare the decoder with must not come from the same library.
#pragma once

#include <zlib.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

class PngBuilder {
 public:
  using Sample = std::function<unsigned(std::size_t x, std::size_t y, std::size_t channel)>;

  std::size_t width = 1;
  std::size_t height = 1;
  unsigned bit_depth = 8;
  unsigned colour_type = 0;  // 0 grey, 2 colour, 3 palette, 4 grey and alpha, 6 colour and alpha
  bool interlaced = false;
  Sample sample;                                 // the value in the file, of bit_depth bits
  std::vector<std::array<unsigned, 3>> palette;  // a PLTE chunk where it is not empty
  std::string transparency;                      // the bytes of a tRNS chunk where it is not empty

  [[nodiscard]] std::string bytes() const {
    std::string file("\x89PNG\r\n\x1a\n");
    std::string header = number(width) + number(height);
    header += {static_cast<char>(bit_depth), static_cast<char>(colour_type), 0, 0, static_cast<char>(interlaced)};
    file += chunk("IHDR", header);
    std::string colours;
    for (const auto& colour : palette) {
      for (const unsigned value : colour) colours += static_cast<char>(value);
    }
    if (!colours.empty()) file += chunk("PLTE", colours);
    if (!transparency.empty()) file += chunk("tRNS", transparency);
    return file + chunk("IDAT", compressed(scanlines())) + chunk("IEND", "");
  }

  static std::string chunk(const std::string& type, const std::string& data) {
    const std::string checked = type + data;
    const uLong checksum = crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
    return number(data.size()) + checked + number(checksum);
  }

  static std::string number(std::size_t value) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xff);
    return text;
  }

  static std::string compressed(const std::string& text) {
    uLongf size = compressBound(text.size());
    std::string result(size, '\0');
    compress(reinterpret_cast<Bytef*>(result.data()), &size, reinterpret_cast<const Bytef*>(text.data()), text.size());
    result.resize(size);
    return result;
  }

 private:
  [[nodiscard]] std::size_t channels() const {
    return colour_type == 2 ? 3 : colour_type == 4 ? 2 : colour_type == 6 ? 4 : 1;
  }

  // The pixels (first_x + i * step_x, first_y + j * step_y), each line after a byte that says "not filtered".
  [[nodiscard]] std::string pass(std::size_t first_x, std::size_t first_y, std::size_t step_x,
                                 std::size_t step_y) const {
    std::string lines;
    if (first_x >= width) return lines;
    for (std::size_t y = first_y; y < height; y += step_y) {
      lines += '\0';
      unsigned bits = 0;
      unsigned bit_count = 0;
      for (std::size_t x = first_x; x < width; x += step_x) {
        for (std::size_t channel = 0; channel < channels(); ++channel) {
          const unsigned value = sample(x, y, channel);
          if (bit_depth == 16) lines += static_cast<char>(value >> 8);
          if (bit_depth >= 8) {
            lines += static_cast<char>(value & 0xff);
            continue;
          }
          bits = bits << bit_depth | value;
          bit_count += bit_depth;
          if (bit_count == 8) {
            lines += static_cast<char>(bits);
            bits = bit_count = 0;
          }
        }
      }
      if (bit_count > 0) lines += static_cast<char>(bits << (8 - bit_count));
    }
    return lines;
  }

  [[nodiscard]] std::string scanlines() const {
    if (!interlaced) return pass(0, 0, 1, 1);
    return pass(0, 0, 8, 8) + pass(4, 0, 8, 8) + pass(0, 4, 4, 8) + pass(2, 0, 4, 4) + pass(0, 2, 2, 4) +
           pass(1, 0, 2, 2) + pass(0, 1, 1, 2);
  }
};
