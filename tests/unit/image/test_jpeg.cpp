#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "jpeg_drawing.hpp"
#include "message_of.hpp"
#include "mnist_dist/image/jpeg.hpp"

using namespace mnist_dist;

namespace {

image::Image decode(const std::string& bytes) {
  return image::decode_jpeg(std::as_bytes(std::span(bytes)), "x.jpg");
}

std::string error_of(const std::string& bytes) {
  return message_of(ExitCode::bad_data, [&] { (void)decode(bytes); });
}

unsigned distance(unsigned a, unsigned b) {
  return std::max(a, b) - std::min(a, b);
}

// Changes slowly enough to survive JPEG.
unsigned smooth(std::size_t x, std::size_t y, std::size_t channel) {
  return static_cast<unsigned>(40 + 3 * x + 4 * y * (channel + 1) % 120);
}

// Noise fills a file with data.
unsigned noise(std::size_t x, std::size_t y, std::size_t channel) {
  return static_cast<std::uint32_t>((x * 73856093U) ^ (y * 19349663U) ^ (channel * 83492791U)) * 2654435761U >> 24U;
}

JpegDrawing drawing(J_COLOR_SPACE samples) {
  JpegDrawing jpeg;
  jpeg.samples = samples;
  jpeg.width = 19;  // no multiple of a block
  jpeg.height = 13;
  jpeg.sample = smooth;
  return jpeg;
}

void check_image(const JpegDrawing& jpeg, std::size_t channels, unsigned tolerance,
                 const std::function<unsigned(std::size_t, std::size_t, std::size_t)>& expected) {
  const image::Image found = decode(jpeg.bytes());
  REQUIRE(found.width == jpeg.width);
  REQUIRE(found.height == jpeg.height);
  REQUIRE(found.channels == channels);
  REQUIRE(found.pixels.size() == jpeg.width * jpeg.height * channels);
  unsigned worst = 0;
  for (std::size_t i = 0; i < found.pixels.size(); ++i) {
    const std::size_t pixel = i / channels;
    const unsigned value = expected(pixel % jpeg.width, pixel / jpeg.width, i % channels);
    worst = std::max(worst, distance(found.pixels[i], value));
  }
  CHECK(worst <= tolerance);
}

// The kinds whose data are read in different ways.
std::vector<JpegDrawing> kinds(J_COLOR_SPACE samples) {
  std::vector<JpegDrawing> all(5, drawing(samples));
  all[1].progressive = true;
  all[2].arithmetic = true;
  all[3].scan_per_channel = true;
  all[4].restart_interval = 1;
  return all;
}

}  // namespace

TEST_CASE("grey JPEGs of every kind stay grey") {
  for (const JpegDrawing& jpeg : kinds(JCS_GRAYSCALE)) check_image(jpeg, 1, 2, jpeg.sample);
}

TEST_CASE("colour JPEGs of every kind become red, green, blue, stored as YCbCr or as they are") {
  for (JpegDrawing jpeg : kinds(JCS_RGB)) {
    for (const bool keeps_colours : {false, true}) {
      jpeg.keeps_colours = keeps_colours;
      jpeg.sample = [](std::size_t x, std::size_t, std::size_t channel) { return 30 + 2 * x + 60 * channel; };
      check_image(jpeg, 3, 6, jpeg.sample);
    }
  }
}

TEST_CASE("CMYK and YCCK are taken for inverted") {
  for (JpegDrawing jpeg : kinds(JCS_CMYK)) {
    for (const bool keeps_colours : {false, true}) {
      jpeg.keeps_colours = keeps_colours;
      jpeg.sample = [](std::size_t x, std::size_t, std::size_t channel) { return 90 + x + 40 * channel; };
      check_image(jpeg, 3, 6, [&](std::size_t x, std::size_t y, std::size_t channel) {
        return (jpeg.sample(x, y, channel) * jpeg.sample(x, y, 3) + 127) / 255;
      });
    }
  }
}

TEST_CASE("the orientation that Exif states is applied") {
  // By orientation, which of the stored corners is seen at the top left, top right, bottom left, bottom right.
  constexpr std::array<std::array<unsigned, 4>, 8> kSeen = {
      {{0, 1, 2, 3}, {1, 0, 3, 2}, {3, 2, 1, 0}, {2, 3, 0, 1}, {0, 2, 1, 3}, {2, 0, 3, 1}, {3, 1, 2, 0}, {1, 3, 0, 2}}};
  for (const J_COLOR_SPACE samples : {JCS_GRAYSCALE, JCS_RGB}) {
    JpegDrawing jpeg = drawing(samples);
    jpeg.width = 48;
    jpeg.height = 32;
    jpeg.sample = [](std::size_t x, std::size_t y, std::size_t) {
      return 80U * (x >= 24 ? 1 : 0) + (y >= 16 ? 160 : 0);
    };
    for (unsigned orientation = 1; orientation <= 8; ++orientation) {
      for (const bool big_endian : {false, true}) {
        CAPTURE(orientation);
        jpeg.exif = exif_of(orientation, big_endian);
        const image::Image image = decode(jpeg.bytes());
        CHECK(image.width == (orientation < 5 ? 48 : 32));
        CHECK(image.height == (orientation < 5 ? 32 : 48));
        for (std::size_t corner = 0; corner < 4; ++corner) {
          const std::size_t x = corner % 2 == 0 ? 2 : image.width - 3;
          const std::size_t y = corner < 2 ? 2 : image.height - 3;
          const unsigned found = image.pixels[(y * image.width + x) * image.channels];
          CHECK(distance(found, 80 * kSeen[orientation - 1][corner]) <= 6);
        }
      }
    }
  }
}

TEST_CASE("an Exif part that is odd or damaged leaves the image as it is stored") {
  JpegDrawing jpeg = drawing(JCS_GRAYSCALE);
  const image::Image plain = decode(jpeg.bytes());
  const std::string whole = exif_of(6, false);
  std::vector<std::string> parts = {exif_of(0, false), exif_of(9, true), exif_of(0xffff, false)};
  for (std::size_t size = 1; size < whole.size() - 8; ++size) parts.push_back(whole.substr(0, size));
  for (const std::string& part : parts) {
    jpeg.exif = part;
    const image::Image image = decode(jpeg.bytes());
    CHECK(image.width == plain.width);
    CHECK(image.pixels == plain.pixels);
  }
  jpeg.exif = "http://ns.adobe.com/xap/1.0/";  // no Exif part, though its marker is the same
  CHECK(decode(jpeg.bytes()).pixels == plain.pixels);
}

TEST_CASE("a JPEG file that is cut anywhere is truncated, and one with more after its end is whole") {
  for (JpegDrawing jpeg : kinds(JCS_RGB)) {
    jpeg.sample = noise;
    const std::string whole = jpeg.bytes();
    for (std::size_t size = 1; size < whole.size(); ++size) {
      CAPTURE(size);
      CHECK(error_of(whole.substr(0, size)) == "x.jpg: truncated JPEG file");
    }
    CHECK(error_of(whole) == "no error");
    CHECK(decode(whole + "garbage").pixels == decode(whole).pixels);
  }
}

TEST_CASE("what is no JPEG file is said to be so, with what it looks like") {
  CHECK(error_of("") == "x.jpg: not a JPEG file (it is empty)");
  CHECK(error_of("hello") == "x.jpg: not a JPEG file (it starts with \"hello\")");
  CHECK(error_of("\x89PNG\r\n\x1a\n") == "x.jpg: not a JPEG file (it is a PNG file)");
}

TEST_CASE("data that end too early or too late are damage; a little padding is none") {
  JpegDrawing jpeg = drawing(JCS_GRAYSCALE);
  jpeg.sample = noise;
  const std::string whole = jpeg.bytes();
  const std::string damaged = "x.jpg: damaged or unknown JPEG file (Corrupt JPEG data: ";
  std::string shorter = whole;
  shorter.erase(whole.size() - 60, 40);
  CHECK(error_of(shorter).starts_with(damaged));
  for (const std::size_t padding : {1U, 16U, 17U, 200U}) {
    std::string longer = whole;
    longer.insert(whole.size() - 2, std::string(padding, '\0'));
    CAPTURE(padding);
    if (padding <= 16) {
      CHECK(decode(longer).pixels == decode(whole).pixels);
    } else {
      CHECK(error_of(longer).starts_with(damaged));
    }
  }
  std::string unknown = whole;
  unknown[whole.find("\xff\xc0") + 1] = '\xc3';
  CHECK(error_of(unknown) == "x.jpg: damaged or unknown JPEG file (Unsupported JPEG process: SOF type 0xc3)");
}

TEST_CASE("a changed byte anywhere gives an image or one line, and never more") {
  for (JpegDrawing jpeg : kinds(JCS_RGB)) {
    jpeg.sample = noise;
    jpeg.exif = exif_of(3, true);
    const std::string whole = jpeg.bytes();
    std::size_t refused = 0;
    for (std::size_t i = 3; i < whole.size(); ++i) {
      for (const int change : {0x01, 0x80, 0xff}) {
        std::string changed = whole;
        changed[i] = static_cast<char>(changed[i] ^ change);
        if (error_of(changed) != "no error") ++refused;
      }
    }
    CHECK(refused > 100);
  }
}

TEST_CASE("a JPEG image that is too large is refused by its header alone") {
  const std::string whole = drawing(JCS_GRAYSCALE).bytes();
  const std::size_t place = whole.find("\xff\xc0") + 5;
  const auto with_size = [&](std::size_t width, std::size_t height) {
    std::string bytes = whole;
    const std::array<std::size_t, 4> size = {height >> 8, height & 255, width >> 8, width & 255};
    for (std::size_t i = 0; i < size.size(); ++i) bytes[place + i] = static_cast<char>(size[i]);
    return error_of(bytes);
  };
  CHECK(with_size(20000, 20000) == "x.jpg: 20000x20000 pixels; the limit is 16777216 pixels in all");
  CHECK(with_size(4097, 4096) == "x.jpg: 4097x4096 pixels; the limit is 16777216 pixels in all");
  CHECK(with_size(32769, 1) == "x.jpg: 32769x1 pixels; the limit is 32768 pixels a side");
  CHECK(with_size(1, 65500) == "x.jpg: 1x65500 pixels; the limit is 32768 pixels a side");
  CHECK(with_size(0, 5).starts_with("x.jpg: damaged or unknown JPEG file (Empty JPEG image"));
}

TEST_CASE("a JPEG of very many scans is refused") {
  JpegDrawing jpeg = drawing(JCS_RGB);
  jpeg.scan_per_channel = true;
  const std::string whole = jpeg.bytes();
  const std::size_t last_scan = whole.rfind("\xff\xda");
  const std::string scan = whole.substr(last_scan, whole.size() - 2 - last_scan);
  const auto with_scans = [&](std::size_t more) {
    std::string bytes = whole;
    for (std::size_t i = 0; i < more; ++i) bytes.insert(last_scan, scan);
    return bytes;
  };
  CHECK(decode(with_scans(97)).pixels == decode(whole).pixels);
  CHECK(error_of(with_scans(98)) == "x.jpg: JPEG file of more than 100 scans");
  CHECK(error_of(with_scans(20000)) == "x.jpg: JPEG file of more than 100 scans");
}
