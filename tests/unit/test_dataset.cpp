#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/sha256.hpp"
#include "mnist_dist/data/content_hash.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/dataset_writer.hpp"
#include "mnist_dist/data/image_source.hpp"
#include "mnist_dist/data/ordered_parallel.hpp"
#include "mnist_dist/data/pack.hpp"
#include "mnist_dist/data/pixel_statistics.hpp"
#include "mnist_dist/data/verify.hpp"
#include "mnist_dist/h5/file.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;
using data::ImageShape;
using data::Split;

namespace {

// Images made up from their row number; some rows can be bad or of another size.
class MadeUpSource final : public data::ImageSource {
 public:
  std::size_t training_rows = 700;
  std::size_t testing_rows = 90;
  std::size_t height = 20;
  std::size_t width = 30;
  std::map<std::size_t, std::string> bad_rows;  // of the training split
  std::size_t larger_row = ~std::size_t{0};     // this training row has twice the height

  [[nodiscard]] const std::vector<std::string>& classes() const override { return classes_; }
  [[nodiscard]] std::size_t rows(Split split) const override {
    return split == Split::training ? training_rows : testing_rows;
  }
  [[nodiscard]] std::int32_t label(Split, std::size_t row) const override { return static_cast<std::int32_t>(row % 3); }
  [[nodiscard]] std::string name(Split split, std::size_t row) const override {
    return (split == Split::training ? "training/" : "testing/") + std::to_string(row);
  }
  [[nodiscard]] image::Image image(Split split, std::size_t row) const override {
    const auto bad = bad_rows.find(row);
    if (split == Split::training && bad != bad_rows.end()) throw Error(ExitCode::bad_data, bad->second);
    const std::size_t rows = split == Split::training && row == larger_row ? 2 * height : height;
    image::Image image{rows, width, 1, std::vector<std::uint8_t>(rows * width)};
    const std::size_t first = split == Split::training ? 0 : 1000;
    for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = pixel(first + row, i);
    return image;
  }
  [[nodiscard]] std::size_t ignored_files() const override { return 0; }

  static std::uint8_t pixel(std::size_t row, std::size_t i) {
    return static_cast<std::uint8_t>(i == 7 ? 200 : (row * 31 + i * i) >> 2);  // pixel 7 never varies
  }

 private:
  std::vector<std::string> classes_ = {"cat", "dog", "müsli"};
};

template <class Function>
std::string message_of(ExitCode expected, Function function) {
  try {
    function();
  } catch (const Error& error) {
    CHECK(error.exit_code() == expected);
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a packed data set holds every row once, shuffled, with its label and name") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  const MadeUpSource source;
  const data::PackResult result = data::pack(source, path, {.jobs = 2});
  CHECK(result.shape == ImageShape{20, 30, 1});
  CHECK(result.training_rows == 700);
  CHECK(result.testing_rows == 90);
  CHECK_FALSE(result.sizes_differ);

  const data::DatasetFile file(path);
  CHECK(file.image_shape() == ImageShape{20, 30, 1});
  CHECK(file.classes() == source.classes());
  CHECK(file.content_sha256() == result.content_sha256);
  CHECK(data::verify(file).empty());
  for (const Split split : {Split::training, Split::testing}) {
    const std::vector<std::string> names = file.names(split);
    const std::vector<std::int32_t> labels = file.labels(split);
    REQUIRE(names.size() == source.rows(split));
    REQUIRE(file.rows(split) == names.size());
    std::vector<std::uint8_t> pixels(names.size() * 600);
    file.read_images(split, 0, pixels);
    std::vector<bool> seen(names.size(), false);
    bool in_order = true;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::size_t row = std::stoul(names[i].substr(names[i].find('/') + 1));
      CHECK(names[i] == source.name(split, row));
      CHECK(labels[i] == source.label(split, row));
      CHECK(std::ranges::equal(std::span(pixels).subspan(i * 600, 600), source.image(split, row).pixels));
      CHECK_FALSE(seen[row]);
      seen[row] = true;
      in_order = in_order && row == i;
    }
    CHECK_FALSE(in_order);
  }
}

TEST_CASE("rows are read from anywhere") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  data::pack(MadeUpSource(), path, {});
  const data::DatasetFile file(path);
  std::vector<std::uint8_t> all(700 * 600);
  file.read_images(Split::training, 0, all);
  std::vector<std::uint8_t> some(300 * 600);
  file.read_images(Split::training, 350, some);
  CHECK(std::equal(some.begin(), some.end(), all.begin() + 350 * 600));
  CHECK_THROWS_AS(file.read_images(Split::training, 500, some), Error);
}

TEST_CASE("the file's bytes do not depend on the number of jobs, the content hash not on compression either") {
  const TemporaryFolder folder;
  const MadeUpSource source;
  const auto pack = [&](const char* name, unsigned jobs, int gzip) {
    return data::pack(source, folder.path() / name, {.jobs = jobs, .gzip = gzip}).content_sha256;
  };
  const std::string hash = pack("1", 1, 0);
  CHECK(pack("3", 3, 0) == hash);
  CHECK(read_file(folder.path() / "1") == read_file(folder.path() / "3"));
  CHECK(pack("gzip", 2, 5) == hash);
  CHECK(std::filesystem::file_size(folder.path() / "gzip") < std::filesystem::file_size(folder.path() / "1"));
  CHECK(data::verify(data::DatasetFile(folder.path() / "gzip")).empty());
}

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

TEST_CASE("a data set without test rows works") {
  const TemporaryFolder folder;
  MadeUpSource source;
  source.testing_rows = 0;
  data::pack(source, folder.path() / "x.h5", {});
  const data::DatasetFile file(folder.path() / "x.h5");
  CHECK(file.rows(Split::testing) == 0);
  CHECK(file.labels(Split::testing).empty());
  CHECK(file.names(Split::testing).empty());
  CHECK(data::verify(file).empty());
}

TEST_CASE("images of different sizes are packed at 28x28, or at the size asked for") {
  const TemporaryFolder folder;
  MadeUpSource source;
  source.larger_row = 333;
  const data::PackResult result = data::pack(source, folder.path() / "x.h5", {.jobs = 2});
  CHECK(result.sizes_differ);
  CHECK(result.shape == ImageShape{28, 28, 1});
  CHECK(data::DatasetFile(folder.path() / "x.h5").rows(Split::training) == 700);
  const data::PackResult asked =
      data::pack(source, folder.path() / "y.h5", {.size = data::ImageSize{8, 9}, .colour = true});
  CHECK_FALSE(asked.sizes_differ);
  CHECK(data::DatasetFile(folder.path() / "y.h5").image_shape() == ImageShape{8, 9, 3});
}

TEST_CASE("a bad image fails, always the same one, or is skipped and counted") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  MadeUpSource source;
  source.bad_rows = {{5, "five is bad"}, {77, "seventy-seven is bad"}, {600, "six hundred is bad"}};
  const auto fail = [&](unsigned jobs) {
    return message_of(ExitCode::bad_data, [&] { data::pack(source, path, {.jobs = jobs}); });
  };
  const std::string message = fail(1);
  CHECK(message.ends_with(" is bad"));
  for (int i = 0; i < 5; ++i) CHECK(fail(4) == message);
  CHECK(std::filesystem::is_empty(folder.path()));

  for (const bool differ : {false, true}) {
    source.larger_row = differ ? 333 : ~std::size_t{0};
    std::vector<std::string> warnings;
    const data::PackResult result =
        data::pack(source, path, {.jobs = 3, .on_bad_image = data::BadImage::skip, .warn = [&](const std::string& text) {
                     warnings.push_back(text);
                   }});
    CHECK(result.sizes_differ == differ);
    CHECK(result.skipped_images == 3);
    CHECK(result.training_rows == 697);
    CHECK(warnings.size() == 3);
    const data::DatasetFile file(path);
    CHECK(file.rows(Split::training) == 697);
    CHECK(data::verify(file).empty());
    const std::vector<std::string> names = file.names(Split::training);
    CHECK(std::count(names.begin(), names.end(), "training/77") == 0);
    CHECK(std::count(names.begin(), names.end(), "training/78") == 1);
  }
}

TEST_CASE("when no training image can be read there is no data set") {
  const TemporaryFolder folder;
  MadeUpSource source;
  source.training_rows = 2;
  source.bad_rows = {{0, "bad"}, {1, "worse"}};
  const std::string message = message_of(ExitCode::bad_data, [&] {
    data::pack(source, folder.path() / "x.h5", {.on_bad_image = data::BadImage::skip});
  });
  CHECK(message.find("none of the 2 training images can be read") != std::string::npos);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("who gives up in the middle leaves the older file as it was") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  write_file_atomically(path, std::string_view("older"));
  struct GiveUp {};
  const auto progress = [](std::size_t done, std::size_t total) {
    CHECK(total == 790);
    if (done > 400) throw GiveUp{};
  };
  CHECK_THROWS_AS(data::pack(MadeUpSource(), path, {.jobs = 2, .progress = progress}), GiveUp);
  CHECK(read_text_file(path) == "older");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
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
    file.write_attribute("content_sha256", std::string("?"));
    file.close();
    return message_of(ExitCode::bad_data, [&] { data::DatasetFile{path}; });
  };
  CHECK(message_with({0, 2, 2}, 2, 2) == "no error");
  CHECK(message_with({0, 2, 3}, 2, 2) == path.string() + ": /test/images has another shape than /train/images");
  CHECK(message_with({0, 2, 2}, 3, 2) == path.string() + ": /train/labels does not have the 2 rows of /train/images");
  CHECK(message_with({0, 2, 2}, 2, 3) == path.string() + ": /train/mean does not have the shape of an image");
}

TEST_CASE("the content hash is the documented one") {
  const std::vector<std::string> classes = {"a", "bc"};
  data::ContentHash hash({1, 2, 1}, classes);
  hash.add_rows(Split::training, std::vector<std::uint8_t>{1, 2}, std::vector<std::int32_t>{1});
  hash.add_rows(Split::testing, std::vector<std::uint8_t>{5, 6}, std::vector<std::int32_t>{0});
  hash.add_rows(Split::training, std::vector<std::uint8_t>{3, 4}, std::vector<std::int32_t>{0});
  const auto sha = [](const std::string& bytes) { return sha256_hex(std::as_bytes(std::span(bytes))); };
  const std::string text = "mnist-dist dataset content 1\nheight 1 width 2 channels 1\nclasses " +
                           sha(std::string("a\0bc\0", 5)) + "\ntraining rows 2 images " + sha("\1\2\3\4") + " labels " +
                           sha(std::string("\1\0\0\0\0\0\0\0", 8)) + "\ntesting rows 1 images " + sha("\5\6") +
                           " labels " + sha(std::string(4, '\0')) + "\n";
  CHECK(hash.finish() == sha(text));
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

TEST_CASE("parallel work is consumed in order, within bounds, and its first error is thrown in turn") {
  for (const unsigned jobs : {1U, 4U}) {
    std::vector<std::size_t> consumed;
    std::atomic<std::size_t> begun = 0;
    data::OrderedParallel<std::size_t> work(200, jobs, [&](std::size_t i) {
      ++begun;
      if (i == 150 || i == 170) throw Error(ExitCode::bug, std::to_string(i));
      return i * i;
    });
    CHECK(message_of(ExitCode::bug, [&] {
            work.consume_all([&](std::size_t result) {
              consumed.push_back(result);
              CHECK(begun <= consumed.size() + jobs + 2);
            });
          }) == "150");
    REQUIRE(consumed.size() == 150);
    for (std::size_t i = 0; i < consumed.size(); ++i) CHECK(consumed[i] == i * i);
  }
}
