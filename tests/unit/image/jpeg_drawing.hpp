// Draws JPEG files of many kinds, with the library's own encoder: what the decoder's tests read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <vector>
// It wants <cstdio> before it.
#include <jpeglib.h>

struct JpegDrawing {
  std::size_t width = 16;
  std::size_t height = 16;
  J_COLOR_SPACE samples = JCS_GRAYSCALE;  ///< of `sample`
  bool progressive = false;
  bool arithmetic = false;
  bool scan_per_channel = false;
  bool keeps_colours = false;  ///< samples are stored as they are, instead of as YCbCr or YCCK
  unsigned restart_interval = 0;
  std::string exif;  ///< from "Exif" on; empty: none
  std::function<unsigned(std::size_t x, std::size_t y, std::size_t channel)> sample;

  [[nodiscard]] std::size_t channels() const { return samples == JCS_GRAYSCALE ? 1 : samples == JCS_RGB ? 3 : 4; }

  [[nodiscard]] std::string bytes() const {
    jpeg_compress_struct encoder{};
    jpeg_error_mgr errors{};
    encoder.err = jpeg_std_error(&errors);
    jpeg_create_compress(&encoder);
    unsigned char* memory = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&encoder, &memory, &size);
    encoder.image_width = static_cast<JDIMENSION>(width);
    encoder.image_height = static_cast<JDIMENSION>(height);
    encoder.input_components = static_cast<int>(channels());
    encoder.in_color_space = samples;
    jpeg_set_defaults(&encoder);
    if (samples == JCS_CMYK && !keeps_colours) jpeg_set_colorspace(&encoder, JCS_YCCK);
    if (keeps_colours) jpeg_set_colorspace(&encoder, samples);
    jpeg_set_quality(&encoder, 100, TRUE);
    encoder.arith_code = arithmetic ? TRUE : FALSE;
    encoder.restart_interval = restart_interval;
    std::vector<jpeg_scan_info> scans;
    for (int channel = 0; channel < encoder.num_components; ++channel) scans.push_back({1, {channel}, 0, 63, 0, 0});
    if (scan_per_channel) {
      encoder.scan_info = scans.data();
      encoder.num_scans = static_cast<int>(scans.size());
    }
    if (progressive) jpeg_simple_progression(&encoder);
    jpeg_start_compress(&encoder, TRUE);
    if (!exif.empty()) {
      jpeg_write_marker(&encoder, JPEG_APP0 + 1, reinterpret_cast<const JOCTET*>(exif.data()),
                        static_cast<unsigned>(exif.size()));
    }
    std::vector<JSAMPLE> line(width * channels());
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t i = 0; i < line.size(); ++i) {
        line[i] = static_cast<JSAMPLE>(sample(i / channels(), y, i % channels()));
      }
      JSAMPROW row = line.data();
      jpeg_write_scanlines(&encoder, &row, 1);
    }
    jpeg_finish_compress(&encoder);
    std::string file(reinterpret_cast<const char*>(memory), size);
    jpeg_destroy_compress(&encoder);
    std::free(memory);
    return file;
  }
};

/// An Exif part that states nothing but an orientation.
inline std::string exif_of(unsigned orientation, bool big_endian) {
  const auto number = [&](unsigned value, std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[big_endian ? size - 1 - i : i] = static_cast<char>(value >> 8 * i);
    return text;
  };
  return std::string("Exif\0\0", 6) + (big_endian ? "MM" : "II") + number(42, 2) + number(8, 4) + number(1, 2) +
         number(274, 2) + number(3, 2) + number(1, 4) + number(orientation, 2) + number(0, 2) + number(0, 4);
}
