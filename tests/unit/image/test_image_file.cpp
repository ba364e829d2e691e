#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "jpeg_drawing.hpp"
#include "message_of.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/image/image_file.hpp"
#include "mnist_dist/image/jpeg.hpp"
#include "mnist_dist/image/png.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;

TEST_CASE("files are told apart by their first bytes, whatever they are called") {
  const TemporaryFolder folder;
  JpegDrawing jpeg;
  jpeg.sample = [](std::size_t x, std::size_t y, std::size_t) { return (x * 50 + y * y * 31) % 256; };
  for (const std::size_t side : {std::size_t{9}, std::size_t{600}}) {  // one read, and several
    jpeg.width = jpeg.height = side;
    const std::string bytes = jpeg.bytes();
    const image::Image image = image::decode_jpeg(std::as_bytes(std::span(bytes)), "");
    CHECK((bytes.size() > 200000) == (side == 600));
    for (const char* name : {"a.png", "b.jpg", "c"}) {
      write_file_atomically(folder.path() / name, std::string_view(bytes));
      CHECK(image::read_image(folder.path() / name).pixels == image.pixels);
      image::write_png(folder.path() / name, image);
      CHECK(image::read_image(folder.path() / name).pixels == image.pixels);
    }
  }
}

TEST_CASE("a file that is neither is refused, with what it looks like") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.png";
  const auto error = [&](const std::string& bytes) {
    write_file_atomically(path, std::string_view(bytes));
    return message_of(ExitCode::bad_data, [&] { (void)image::read_image(path); });
  };
  const std::string neither = path.string() + ": neither a PNG nor a JPEG file ";
  CHECK(error("") == neither + "(it is empty)");
  CHECK(error("GIF89a") == neither + "(it is a GIF file)");
  CHECK(error("hello\n") == neither + "(it starts with \"hello?\")");
  CHECK(error(std::string(100000, 'x')) == neither + "(it starts with \"xxxxxxxx\")");
  CHECK(error("\xff\xd8") == path.string() + ": truncated JPEG file");
  CHECK(error("\x89PN") == path.string() + ": truncated PNG file");
}

TEST_CASE("the formats that are known by name") {
  using namespace std::string_literals;
  const std::array<std::pair<std::string, std::string>, 12> files = {{{"\x89PNG\r\n\x1a\n", "PNG"},
                                                                      {"\xff\xd8\xff\xe1", "JPEG"},
                                                                      {"GIF87a", "GIF"},
                                                                      {"II*\0\x08"s, "TIFF"},
                                                                      {"MM\0*\0"s, "TIFF"},
                                                                      {"RIFF\1\2\3\4WEBPVP8 ", "WebP"},
                                                                      {"\0\0\0\x18"s + "ftypheic", "HEIC"},
                                                                      {"\0\0\0\x18"s + "ftypavif", "AVIF"},
                                                                      {"BM\1\2\3\4\0\0\0\0\x36\0"s, "BMP"},
                                                                      {"BMW is a car", ""},
                                                                      {"RIFF\1\2\3\4WAVEfmt ", ""},
                                                                      {"", ""}}};
  for (const auto& [start, format] : files) {
    CHECK(image::format_of(std::as_bytes(std::span(start))) == format);
    CHECK(image::is_read(format) == (format == "PNG" || format == "JPEG"));
  }
}
