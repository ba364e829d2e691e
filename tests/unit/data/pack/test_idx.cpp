#include <doctest/doctest.h>
#include <zlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/data/pack/idx.hpp"
#include "mnist_dist/data/pack/image_source.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;
using data::Split;

namespace {

std::string big_endian(std::size_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xff);
  return text;
}

std::string idx_images(std::size_t count, std::size_t height, std::size_t width, const std::string& pixels) {
  return std::string("\0\0\x08\x03", 4) + big_endian(count) + big_endian(height) + big_endian(width) + pixels;
}

std::string idx_labels(const std::string& labels) {
  return std::string("\0\0\x08\x01", 4) + big_endian(labels.size()) + labels;
}

void write_plain(const std::filesystem::path& path, const std::string& bytes) {
  write_file_atomically(path, std::string_view(bytes));
}

void write_gzip(const std::filesystem::path& path, const std::string& bytes) {
  gzFile file = gzopen(path.c_str(), "wb");
  REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) == static_cast<int>(bytes.size()));
  REQUIRE(gzclose(file) == Z_OK);
}

// Three training images of 2x2 pixels with the labels 2, 0, 1.
const std::string kImages = idx_images(3, 2, 2, "abcdefghijkl");
const std::string kLabels = idx_labels(std::string("\2\0\1", 3));

std::string error_of(const std::filesystem::path& root, ExitCode expected = ExitCode::bad_data) {
  try {
    (void)data::open_image_source(root);
  } catch (const Error& error) {
    CHECK(error.exit_code() == expected);
    return error.what();
  }
  return "no error";
}

void check_content(const data::ImageSource& source) {
  CHECK(source.classes() == std::vector<std::string>{"0", "1", "2"});
  REQUIRE(source.rows(Split::training) == 3);
  CHECK(source.label(Split::training, 0) == 2);
  CHECK(source.label(Split::training, 1) == 0);
  CHECK(source.name(Split::training, 1) == "train-images-idx3-ubyte/00001");
  const image::Image image = source.image(Split::training, 1);
  CHECK(image.height == 2);
  CHECK(image.width == 2);
  CHECK(image.channels == 1);
  CHECK(image.pixels == std::vector<std::uint8_t>{'e', 'f', 'g', 'h'});
}

}  // namespace

TEST_CASE("IDX files are read in each spelling, plain and gzip") {
  for (const char* separator : {"-", "."}) {
    for (const bool gzip : {false, true}) {
      const TemporaryFolder folder;
      const auto path = [&](const std::string& name) {
        return folder.path() / (name.substr(0, 12) + separator + name.substr(13) + (gzip ? ".gz" : ""));
      };
      const auto store = gzip ? write_gzip : write_plain;
      store(path("train-images-idx3-ubyte"), kImages);
      store(path("train-labels-idx1-ubyte"), kLabels);
      const auto source = data::open_image_source(folder.path());
      check_content(*source);
      CHECK(source->rows(Split::testing) == 0);
    }
  }
}

TEST_CASE("the test split of IDX files is read from t10k") {
  const TemporaryFolder folder;
  write_plain(folder.path() / "train-images-idx3-ubyte", kImages);
  write_plain(folder.path() / "train-labels-idx1-ubyte", kLabels);
  write_plain(folder.path() / "t10k-images-idx3-ubyte", idx_images(1, 2, 2, "wxyz"));
  write_plain(folder.path() / "t10k-labels-idx1-ubyte", idx_labels("\1"));
  const auto source = data::open_image_source(folder.path());
  check_content(*source);
  REQUIRE(source->rows(Split::testing) == 1);
  CHECK(source->label(Split::testing, 0) == 1);
  CHECK(source->name(Split::testing, 0) == "t10k-images-idx3-ubyte/00000");
  CHECK(source->image(Split::testing, 0).pixels == std::vector<std::uint8_t>{'w', 'x', 'y', 'z'});

  write_plain(folder.path() / "t10k-labels-idx1-ubyte", idx_labels("\3"));
  CHECK(error_of(folder.path()).find("the class \"3\" has test images but no training images") != std::string::npos);
}

TEST_CASE("more than ten classes are named so that byte order is the order of the labels") {
  const TemporaryFolder folder;
  write_plain(folder.path() / "train-images-idx3-ubyte", idx_images(2, 1, 1, "ab"));
  write_plain(folder.path() / "train-labels-idx1-ubyte", idx_labels("\x0b\x02"));
  const auto source = data::open_image_source(folder.path());
  REQUIRE(source->classes().size() == 12);
  CHECK(source->classes()[2] == "02");
  CHECK(source->classes()[11] == "11");
  CHECK(source->label(Split::training, 0) == 11);
}

TEST_CASE("IDX files that are damaged or do not fit together are named") {
  const TemporaryFolder folder;
  const std::filesystem::path images = folder.path() / "train-images-idx3-ubyte";
  const std::filesystem::path labels = folder.path() / "train-labels-idx1-ubyte";
  write_plain(images, kImages);
  CHECK(error_of(folder.path()) == images.string() + ": there is no train-labels-idx1-ubyte beside it");
  write_plain(labels, idx_labels("\1\1"));
  CHECK(error_of(folder.path()) == labels.string() + ": 2 labels for the 3 images of train-images-idx3-ubyte");
  write_plain(labels, kImages);
  CHECK(error_of(folder.path()) == labels.string() + ": not an IDX file of bytes with 1 dimension");
  write_plain(labels, kLabels);
  write_plain(images, "text");
  CHECK(error_of(folder.path()) == images.string() + ": not an IDX file of bytes with 3 dimensions");
  write_plain(images, "");
  CHECK(error_of(folder.path()) == images.string() + ": not an IDX file of bytes with 3 dimensions");
  for (std::size_t size = 4; size < kImages.size(); ++size) {
    CAPTURE(size);
    write_plain(images, kImages.substr(0, size));
    CHECK(error_of(folder.path()).starts_with(images.string() + ": truncated"));
  }
  write_plain(images, kImages + "x");
  CHECK(error_of(folder.path()) == images.string() + ": holds more than its header says");
  write_plain(images, idx_images(0xffffffff, 0xffffffff, 0xffffffff, "abcd"));
  CHECK(error_of(folder.path()).starts_with(images.string() + ": truncated"));
  write_plain(images, idx_images(3, 0, 2, ""));
  CHECK(error_of(folder.path()) == images.string() + ": its images have no pixels");
  write_plain(images, idx_images(0, 2, 2, ""));
  write_plain(labels, idx_labels(""));
  CHECK(error_of(folder.path()).find("no training images") != std::string::npos);
}

TEST_CASE("no memory is taken on the word of an IDX file's header") {
  const TemporaryFolder folder;
  const std::filesystem::path images = folder.path() / "train-images-idx3-ubyte";
  write_plain(folder.path() / "train-labels-idx1-ubyte", idx_labels(""));
  write_plain(images, idx_images(64, 1024, 1024, "abcd"));
  CHECK(error_of(folder.path()) == images.string() + ": truncated: its header announces 67108864 bytes");
  write_plain(images, idx_images(0, 65536, 65536, ""));
  CHECK(error_of(folder.path()).starts_with(images.string() + ": images of 65536x65536 pixels; the limit is "));
}

TEST_CASE("a gzip IDX file may be a thousand times smaller than what it holds") {
  const TemporaryFolder folder;
  write_gzip(folder.path() / "train-images-idx3-ubyte.gz", idx_images(2, 500, 500, std::string(500000, '\0')));
  write_plain(folder.path() / "train-labels-idx1-ubyte", idx_labels(std::string(2, '\0')));
  CHECK(std::filesystem::file_size(folder.path() / "train-images-idx3-ubyte.gz") < 1000);
  CHECK(data::open_image_source(folder.path())->rows(Split::training) == 2);
}

TEST_CASE("a gzip IDX file that is cut or changed is found") {
  const TemporaryFolder folder;
  const std::filesystem::path images = folder.path() / "train-images-idx3-ubyte.gz";
  write_plain(folder.path() / "train-labels-idx1-ubyte", kLabels);
  write_gzip(images, kImages);
  const std::string whole = read_text_file(images);
  for (std::size_t size = 20; size < whole.size(); ++size) {
    CAPTURE(size);
    write_plain(images, whole.substr(0, size));
    CHECK(error_of(folder.path()).starts_with(images.string() + ": truncated"));
  }
  std::string changed = whole;
  changed[changed.size() - 6] ^= 1;  // of the checksum
  write_plain(images, changed);
  CHECK(error_of(folder.path()).starts_with(images.string() + ": damaged gzip file"));
}
