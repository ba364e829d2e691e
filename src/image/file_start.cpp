#include "file_start.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/image/image_file.hpp"

namespace mnist_dist::image {
namespace {

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

bool agrees(std::span<const std::byte> bytes, std::string_view signature) {
  const std::size_t compared = std::min(bytes.size(), signature.size());
  return compared > 0 && as_text(bytes).substr(0, compared) == signature.substr(0, compared);
}

std::string_view format_of(std::span<const std::byte> start) {
  using namespace std::string_view_literals;
  const std::string_view text = as_text(start.first(std::min(start.size(), kFormatBytes)));
  if (text.starts_with(kPngSignature)) return "PNG";
  if (text.starts_with(kJpegSignature)) return "JPEG";
  if (text.starts_with("GIF8")) return "GIF";
  if (text.starts_with("II*\0"sv) || text.starts_with("MM\0*"sv)) return "TIFF";
  if (text.size() < kFormatBytes) return "";
  const std::string_view kind = text.substr(8);
  if (text.starts_with("RIFF") && kind == "WEBP") return "WebP";
  if (text.substr(4, 4) == "ftyp" && (kind == "heic" || kind == "heix" || kind == "mif1")) return "HEIC";
  if (text.substr(4, 4) == "ftyp" && kind == "avif") return "AVIF";
  if (text.starts_with("BM") && text.substr(6, 4) == "\0\0\0\0"sv) return "BMP";
  return "";
}

bool is_read(std::string_view format) {
  return format == "PNG" || format == "JPEG";
}

std::string describe_start(std::span<const std::byte> bytes) {
  if (bytes.empty()) return "it is empty";
  if (const std::string_view format = format_of(bytes); !format.empty()) return fmt::format("it is a {} file", format);
  bytes = bytes.first(std::min<std::size_t>(bytes.size(), 8));
  const std::string_view start = as_text(bytes);
  if (std::all_of(start.begin(), start.end(), [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); })) {
    return fmt::format("it starts with \"{}\"", printable(std::string(start)));
  }
  std::string hexadecimal;
  for (const std::byte byte : bytes) hexadecimal += fmt::format(" {:02x}", std::to_integer<unsigned>(byte));
  return fmt::format("it starts with the bytes{}", hexadecimal);
}

}  // namespace mnist_dist::image
