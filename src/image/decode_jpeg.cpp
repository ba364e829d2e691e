#include <fmt/format.h>

#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>
#include <string_view>
#include <vector>
// These want <cstdio> before them.
#include <jerror.h>
#include <jpeglib.h>

#include "exif_orientation.hpp"
#include "file_start.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/image/jpeg.hpp"

namespace mnist_dist::image {
namespace {

// A file of a few bytes a scan would otherwise be decoded for minutes. Real ones have about ten.
constexpr int kMaximumScans = 100;
// Some cameras leave a few bytes between the data and the end mark; damaged data leave more.
constexpr int kMaximumPadding = 16;
constexpr std::string_view kExifStart{"Exif\0\0", 6};

// The decoder and the way out of it. The library reports an error by a call that must not return: it jumps into one of
// the two functions below, over frames of the library alone.
struct Decoder {
  Decoder() {
    library.err = jpeg_std_error(&errors);
    library.client_data = this;
    errors.error_exit = leave;
    errors.emit_message = [](j_common_ptr common, int level) {
      if (level < 0 && !is_harmless(*common->err)) leave(common);
    };
    progress.progress_monitor = [](j_common_ptr common) {
      if (reinterpret_cast<j_decompress_ptr>(common)->input_scan_number <= kMaximumScans) return;
      common->err->msg_code = JERR_BAD_PROGRESSION;
      leave(common);
    };
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&library); }

  // Warnings that leave the pixels as they should be.
  static bool is_harmless(const jpeg_error_mgr& errors) {
    constexpr int kEndMark = JPEG_EOI;
    switch (errors.msg_code) {
      case JWRN_ADOBE_XFORM:
      case JWRN_JFIF_MAJOR:
      case JWRN_NOT_SEQUENTIAL:
        return true;
      case JWRN_EXTRANEOUS_DATA:
        return errors.msg_parm.i[0] <= kMaximumPadding && errors.msg_parm.i[1] == kEndMark;
      default:
        return false;
    }
  }
  [[noreturn]] static void leave(j_common_ptr common) {
    std::longjmp(static_cast<Decoder*>(common->client_data)->way_out, 1);
  }

  jpeg_decompress_struct library{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf way_out{};
};

// In these two, whatever has a destructor would be jumped over. @return false after an error
bool read_header(Decoder& decoder, const unsigned char* bytes, std::size_t size) {
  if (setjmp(decoder.way_out) != 0) return false;
  jpeg_create_decompress(&decoder.library);
  decoder.library.progress = &decoder.progress;
  jpeg_mem_src(&decoder.library, bytes, size);
  jpeg_save_markers(&decoder.library, JPEG_APP0 + 1, 0xffff);
  jpeg_read_header(&decoder.library, TRUE);
  return true;
}

bool read_pixels(Decoder& decoder, std::uint8_t* pixels, std::size_t row_size) {
  if (setjmp(decoder.way_out) != 0) return false;
  jpeg_start_decompress(&decoder.library);
  while (decoder.library.output_scanline < decoder.library.output_height) {
    JSAMPROW row = pixels + decoder.library.output_scanline * row_size;
    jpeg_read_scanlines(&decoder.library, &row, 1);
  }
  jpeg_finish_decompress(&decoder.library);
  return true;
}

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw Error(ExitCode::bad_data, fmt::format("{}: {}", printable(name), what));
}

[[noreturn]] void fail(Decoder& decoder, const std::string& name) {
  switch (decoder.errors.msg_code) {
    case JERR_OUT_OF_MEMORY:
      throw std::bad_alloc();
    case JWRN_JPEG_EOF:
      fail(name, "truncated JPEG file");
    case JERR_BAD_PROGRESSION:
      if (decoder.library.input_scan_number <= kMaximumScans) break;
      fail(name, fmt::format("JPEG file of more than {} scans", kMaximumScans));
    default:
      break;
  }
  std::array<char, JMSG_LENGTH_MAX> message{};
  decoder.errors.format_message(reinterpret_cast<j_common_ptr>(&decoder.library), message.data());
  fail(name, fmt::format("damaged or unknown JPEG file ({})", printable(message.data())));
}

// Chooses what the library is to make of the colours. @return the channels of that; 0 when they are of no known kind
std::size_t choose_colours(jpeg_decompress_struct& library) {
  switch (library.jpeg_color_space) {
    case JCS_GRAYSCALE:
      library.out_color_space = JCS_GRAYSCALE;
      return 1;
    case JCS_YCbCr:
    case JCS_RGB:
      library.out_color_space = JCS_RGB;
      return 3;
    case JCS_CMYK:
    case JCS_YCCK:
      library.out_color_space = JCS_CMYK;
      return 4;
    default:
      return 0;
  }
}

// Inverted cyan, magenta, yellow, black, 8 bits each, as red, green, blue, rounded.
std::vector<std::uint8_t> without_black(const std::vector<std::uint8_t>& samples) {
  std::vector<std::uint8_t> pixels(samples.size() / 4 * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const unsigned product = unsigned{samples[i / 3 * 4 + i % 3]} * samples[i / 3 * 4 + 3];
    pixels[i] = static_cast<std::uint8_t>((product + 127) / 255);
  }
  return pixels;
}

int orientation_of(const jpeg_decompress_struct& library) {
  for (const jpeg_marker_struct* marker = library.marker_list; marker != nullptr; marker = marker->next) {
    const std::span<const std::byte> data = std::as_bytes(std::span(marker->data, marker->data_length));
    if (data.size() >= kExifStart.size() && std::memcmp(data.data(), kExifStart.data(), kExifStart.size()) == 0) {
      return exif_orientation(data);
    }
  }
  return 1;
}

}  // namespace

Image decode_jpeg(std::span<const std::byte> bytes, const std::string& name) {
  if (!agrees(bytes, kJpegSignature)) fail(name, fmt::format("not a JPEG file ({})", describe_start(bytes)));
  Decoder decoder;
  jpeg_decompress_struct& library = decoder.library;
  if (!read_header(decoder, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size())) fail(decoder, name);
  const std::string fault = size_fault(library.image_width, library.image_height);
  if (!fault.empty()) fail(name, fault);
  const std::size_t channels = choose_colours(library);
  if (channels == 0) fail(name, fmt::format("JPEG file of {} channels of unknown colours", library.num_components));
  const int orientation = orientation_of(library);  // the end of decoding forgets what states it
  // The same pixels from every version of the library.
  library.dct_method = JDCT_ISLOW;
  library.do_block_smoothing = FALSE;

  Image image{library.image_height, library.image_width, channels, {}};
  image.pixels.resize(image.height * image.width * channels);
  if (!read_pixels(decoder, image.pixels.data(), image.width * channels)) fail(decoder, name);
  if (channels == 4) {
    image.pixels = without_black(image.pixels);
    image.channels = 3;
  }
  return turned_upright(std::move(image), orientation);
}

}  // namespace mnist_dist::image
