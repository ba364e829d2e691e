#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "made_up_source.hpp"
#include "message_of.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/pack/pack.hpp"
#include "mnist_dist/data/pack/verify.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;
using data::ImageShape;
using data::Split;

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

TEST_CASE("golden values: the order in which rows are packed") {
  const TemporaryFolder folder;
  MadeUpSource source;
  source.training_rows = 25;
  source.testing_rows = 25;
  data::pack(source, folder.path() / "x.h5", {});
  const data::DatasetFile file(folder.path() / "x.h5");
  std::ifstream golden(std::filesystem::path(REFERENCE_DATA) / "golden.json");
  const nlohmann::json orders = nlohmann::json::parse(golden).at("pack_orders");
  for (const Split split : {Split::training, Split::testing}) {
    std::vector<std::string> names;
    for (const nlohmann::json& row : orders.at(split == Split::training ? 0 : 1)) {
      names.push_back(source.name(split, row.get<std::size_t>()));
    }
    CHECK(file.names(split) == names);
  }
}

TEST_CASE("rows are read from anywhere") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  data::pack(MadeUpSource(), path, {});
  const data::DatasetFile file(path);
  std::vector<std::uint8_t> all(420000);
  file.read_images(Split::training, 0, all);
  std::vector<std::uint8_t> some(180000);
  file.read_images(Split::training, 350, some);
  CHECK(std::equal(some.begin(), some.end(), all.begin() + 210000));
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
    const data::PackResult result = data::pack(
        source, path, {.jobs = 3, .on_bad_image = data::BadImage::skip, .warn = [&](const std::string& text) {
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
  const std::string message = message_of(
      ExitCode::bad_data, [&] { data::pack(source, folder.path() / "x.h5", {.on_bad_image = data::BadImage::skip}); });
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
