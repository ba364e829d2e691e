#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "message_of.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/core/sha256.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/pack/content_hash.hpp"
#include "mnist_dist/data/pack/dataset_writer.hpp"
#include "mnist_dist/data/pack/pixel_statistics.hpp"
#include "mnist_dist/data/pack/verify.hpp"
#include "mnist_dist/h5/file.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;
using data::ImageShape;
using data::Split;

TEST_CASE("the writer's result does not depend on how the rows are cut into calls") {
  const TemporaryFolder folder;
  const ImageShape shape{20, 30, 1};
  const std::size_t rows = 3 * data::DatasetWriter::rows_per_chunk(shape) + 11;
  std::vector<std::uint8_t> pixels(rows * shape.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * i >> 3);
  const std::vector<std::int32_t> labels(rows, 0);
  const std::vector<std::string> names(rows, "a");
  const auto write = [&](const std::string& name, std::size_t step) {
    data::DatasetWriter writer(folder.path() / name, shape, {"only"}, 0);
    for (std::size_t first = 0; first < rows; first += step) {
      const std::size_t count = std::min(step, rows - first);
      writer.append(Split::training, std::span(pixels).subspan(first * shape.size(), count * shape.size()),
                    std::span(labels).first(count), std::span(names).first(count));
    }
    return writer.finish();
  };
  const std::string hash = write("all", rows);
  for (const std::size_t step : {std::size_t{1}, std::size_t{100}, rows / 2}) {
    CAPTURE(step);
    CHECK(write("step", step) == hash);
    CHECK(read_file(folder.path() / "step") == read_file(folder.path() / "all"));
  }
}

TEST_CASE("verify finds a changed pixel, label, class and statistic") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  struct Content {
    std::vector<std::uint8_t> pixels = {1, 2, 3, 4, 5, 6, 7, 9};
    std::vector<std::int32_t> labels = {0, 1};
    std::vector<std::string> classes = {"a", "b"};
    std::vector<float> mean = {3, 4, 5, 6.5};
    std::vector<float> deviation = {2, 2, 2, 2.5};
  };
  std::string hash;
  const auto differences = [&](const Content& content) {
    h5::File file = h5::File::create(path, "x.h5");
    file.write<std::uint8_t>("/train/images", content.pixels, {2, 2, 2});
    file.write<std::uint8_t>("/test/images", {}, {0, 2, 2});
    file.write<std::int32_t>("/train/labels", content.labels, {2});
    file.write<std::int32_t>("/test/labels", {}, {0});
    file.write_strings("/train/names", content.classes);
    file.write_strings("/test/names", {});
    file.write<float>("/train/mean", content.mean, {2, 2});
    file.write<float>("/train/standard_deviation", content.deviation, {2, 2});
    file.write_strings("/classes", content.classes);
    file.write_attribute("format", std::string(data::kDatasetFormat));
    file.write_attribute("format_version", data::kDatasetFormatVersion);
    file.write_attribute("content_sha256", hash);
    file.close();
    return data::verify(data::DatasetFile(path));
  };
  REQUIRE(differences({}).size() == 1);
  const std::string message = differences({})[0];
  hash = message.substr(message.size() - 64);
  CHECK(differences({}).empty());

  Content changed;
  changed.pixels[3] = 5;
  CHECK(differences(changed).size() == 3);
  changed = Content();
  std::swap(changed.labels[0], changed.labels[1]);
  CHECK(differences(changed).size() == 1);
  changed = Content();
  changed.classes[1] = "c";
  CHECK(differences(changed).size() == 1);
  changed = Content();
  changed.mean[2] = std::nextafter(5.0F, 6.0F);
  REQUIRE(differences(changed).size() == 1);
  CHECK(differences(changed)[0].starts_with("/train/mean states 5"));
  changed = Content();
  changed.deviation[3] = 2.0F;
  CHECK(differences(changed) ==
        std::vector<std::string>{"/train/standard_deviation states 2 for pixel 3, the images give 2.5"});
  changed = Content();
  changed.labels[1] = 2;
  CHECK(message_of(ExitCode::bad_data, [&] { (void)differences(changed); }) ==
        path.string() + ": /train/labels: row 1 has the label 2, but there are 2 classes");
}

TEST_CASE("a file that is no data set is refused, with the way out") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  const auto open = [&] { return message_of(ExitCode::bad_data, [&] { data::DatasetFile{path}; }); };
  const auto write = [&](const char* format, std::int64_t format_version) {
    h5::File file = h5::File::create(path, "x.h5");
    if (format != nullptr) file.write_attribute("format", std::string(format));
    file.write_attribute("format_version", format_version);
    file.close();
  };
  write(nullptr, 1);
  CHECK(open().starts_with(path.string() + ": an HDF5 file, not a data set; `h5pack pack"));
  write("mnist-dist model", 1);
  CHECK(open().starts_with(path.string() + ": a \"mnist-dist model\", not a data set"));
  write(data::kDatasetFormat, 2);
  CHECK(open() == path.string() + ": data set format version 2; this program reads version 1: pack the images again");
  write(data::kDatasetFormat, 1);
  CHECK(open() == path.string() + ": /train/images is missing or not a data set");
}

TEST_CASE("a data set whose parts do not agree is refused") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  const auto message_with = [&](const h5::Shape& test_shape, std::size_t labels, std::size_t mean_width) {
    h5::File file = h5::File::create(path, "x.h5");
    file.write<std::uint8_t>("/train/images", std::vector<std::uint8_t>(8), {2, 2, 2});
    file.write<std::uint8_t>("/test/images", {}, test_shape);
    file.write<std::int32_t>("/train/labels", std::vector<std::int32_t>(labels), {labels});
    file.write<std::int32_t>("/test/labels", {}, {0});
    file.write_strings("/train/names", std::vector<std::string>{"a", "b"});
    file.write_strings("/test/names", {});
    file.write<float>("/train/mean", std::vector<float>(2 * mean_width), {2, mean_width});
    file.write<float>("/train/standard_deviation", std::vector<float>(4), {2, 2});
    file.write_strings("/classes", std::vector<std::string>{"a"});
    file.write_attribute("format", std::string(data::kDatasetFormat));
    file.write_attribute("format_version", data::kDatasetFormatVersion);
    file.write_attribute("content_sha256", std::string("\x1b[2J"));
    file.close();
    return message_of(ExitCode::bad_data, [&] { data::DatasetFile{path}; });
  };
  CHECK(message_with({0, 2, 2}, 2, 2) == "no error");
  CHECK(data::DatasetFile{path}.content_sha256() == "?[2J");  // which is printed
  CHECK(message_with({0, 2, 3}, 2, 2) == path.string() + ": /test/images has another shape than /train/images");
  CHECK(message_with({0, 2, 2}, 3, 2) == path.string() + ": /train/labels does not have the 2 rows of /train/images");
  CHECK(message_with({0, 2, 2}, 2, 3) == path.string() + ": /train/mean does not have the shape of an image");
}

TEST_CASE("a data set of images that are too large is refused") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  h5::File file = h5::File::create(path, "x.h5");
  file.create_rows<std::uint8_t>("/train/images", {{1, 40000}, 1, 0});
  file.write_attribute("format", std::string(data::kDatasetFormat));
  file.write_attribute("format_version", data::kDatasetFormatVersion);
  file.close();
  CHECK(message_of(ExitCode::bad_data, [&] { data::DatasetFile{path}; }) ==
        path.string() + ": images of 40000x1 pixels; the limit is 32768 pixels a side");
}

TEST_CASE("the content hash is the documented one") {
  const std::vector<std::string> classes = {"a", "bc"};
  data::ContentHash hash({1, 2, 1}, classes);
  data::ContentHash without_rows({1, 2, 1}, classes);
  hash.add_rows(Split::training, std::vector<std::uint8_t>{1, 2}, std::vector<std::int32_t>{1});
  hash.add_rows(Split::testing, std::vector<std::uint8_t>{5, 6}, std::vector<std::int32_t>{0});
  hash.add_rows(Split::training, std::vector<std::uint8_t>{3, 4}, std::vector<std::int32_t>{0});
  const auto sha = [](const std::string& bytes) { return sha256_hex(std::as_bytes(std::span(bytes))); };
  const std::string text = "mnist-dist dataset content 1\nheight 1 width 2 channels 1\nclasses " +
                           sha(std::string("a\0bc\0", 5)) + "\ntraining rows 2 images " + sha("\1\2\3\4") + " labels " +
                           sha(std::string("\1\0\0\0\0\0\0\0", 8)) + "\ntesting rows 1 images " + sha("\5\6") +
                           " labels " + sha(std::string(4, '\0')) + "\n";
  CHECK(hash.finish({}) == sha(text));
  const std::string nothing = " rows 0 images " + sha("") + " labels " + sha("") + "\n";
  const std::vector<std::uint64_t> holdout = {1, 258};
  CHECK(without_rows.finish(holdout) ==
        sha(text.substr(0, text.find("training rows")) + "training" + nothing + "testing" + nothing +
            "holdout rows 2 " + sha(std::string("\1\0\0\0\0\0\0\0\2\1\0\0\0\0\0\0", 16)) + "\n"));
}

TEST_CASE("mean and deviation are exact, and zero where nothing varies") {
  data::PixelStatistics statistics(3);
  // 100,000 rows: more than 32 bits could add up.
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < 100000; ++i) {
    pixels.push_back(255);
    pixels.push_back(i % 2 == 0 ? 255 : 0);
    pixels.push_back(static_cast<std::uint8_t>(i % 4));
  }
  statistics.add_rows(pixels);
  CHECK(statistics.mean() == std::vector<float>{255.0F, 127.5F, 1.5F});
  const std::vector<float> deviation = statistics.standard_deviation();
  CHECK(deviation[0] == 0.0F);
  CHECK(deviation[1] == 127.5F);
  CHECK(deviation[2] == static_cast<float>(std::sqrt(1.25)));
  CHECK(data::PixelStatistics(2).mean() == std::vector<float>{0, 0});
  CHECK(data::PixelStatistics(2).standard_deviation() == std::vector<float>{0, 0});
}
