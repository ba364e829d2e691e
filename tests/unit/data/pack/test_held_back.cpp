#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "made_up_source.hpp"
#include "message_of.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/holdout.hpp"
#include "mnist_dist/data/pack/pack.hpp"
#include "mnist_dist/data/pack/verify.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;
using data::Split;

TEST_CASE("rows that are held out are named by their numbers, whatever is skipped, and hashed") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  MadeUpSource source;
  const std::string hash = data::pack(source, path, {}).content_sha256;
  CHECK(data::DatasetFile(path).holdout_rows().empty());
  source.held_out_every = 7;
  source.bad_rows = {{14, "fourteen is bad"}};
  const data::PackResult result = data::pack(source, path, {.jobs = 2, .on_bad_image = data::BadImage::skip});
  CHECK(result.holdout_rows == 99);
  const data::DatasetFile file(path);
  CHECK(data::verify(file).empty());
  std::vector<std::string> found;
  for (const std::uint64_t row : file.holdout_rows()) found.push_back(file.names(Split::training)[row]);
  std::vector<std::string> expected;
  for (std::size_t row = 0; row < 700; row += 7) {
    if (row != 14) expected.push_back(source.name(Split::training, row));
  }
  std::ranges::sort(found);
  std::ranges::sort(expected);
  CHECK(found == expected);
  source.bad_rows.clear();
  CHECK(data::pack(source, path, {}).content_sha256 != hash);
  source.held_out_every = 1;
  CHECK(message_of(ExitCode::bad_data, [&] { data::pack(source, path, {}); }).find("not held out") !=
        std::string::npos);
}

TEST_CASE("the holdout is what the data set names, or else a draw") {
  const TemporaryFolder folder;
  MadeUpSource source;
  for (const std::size_t every : {std::size_t{0}, std::size_t{7}}) {
    source.held_out_every = every;
    data::pack(source, folder.path() / "x.h5", {});
    const data::DatasetFile file(folder.path() / "x.h5");
    const std::vector<std::int32_t> labels = file.labels(Split::training);
    const data::HoldoutSplit found = data::holdout_of(file, labels, 0.3, 5);
    CHECK(found.training_rows.size() + found.holdout_rows.size() == 700);
    CHECK(found.holdout_rows ==
          (every > 0 ? file.holdout_rows() : data::split_holdout(labels, 3, 0.3, 5).holdout_rows));
    std::vector<std::uint64_t> all = found.training_rows;
    all.insert(all.end(), found.holdout_rows.begin(), found.holdout_rows.end());
    std::ranges::sort(all);
    CHECK(std::ranges::adjacent_find(all) == all.end());
  }
}

TEST_CASE("a share of each class is kept back for testing, never a row that is held out") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  MadeUpSource source;
  source.training_rows = 31;  // of the classes: 11, 10, 10
  source.testing_rows = 0;
  const auto test_names = [&](double share) {
    data::pack(source, path, {.jobs = 2, .test_share = share});
    const data::DatasetFile file(path);
    CHECK(data::verify(file).empty());
    CHECK(file.test_share() == share);
    std::vector<std::string> names = file.names(Split::testing);
    const std::vector<std::string> training = file.names(Split::training);
    CHECK(names.size() + training.size() == source.training_rows);
    for (const std::string& name : training) CHECK(std::ranges::find(names, name) == names.end());
    std::ranges::sort(names);
    return names;
  };
  // The draw never changes; these are of tests/reference/philox.py.
  CHECK(test_names(0.2) == std::vector<std::string>{"training/10", "training/14", "training/16", "training/20",
                                                    "training/21", "training/6"});
  CHECK(test_names(0.001).size() == 3);
  CHECK(test_names(0.9).size() == 28);
  source.held_out_every = 3;  // all of the first class, and row 0 is no row of the others
  CHECK(test_names(0.9).size() == 18);
  source.held_out_every = 0;
  source.training_rows = 4;  // one class of two, two of one
  CHECK(test_names(0.5).size() == 1);
  data::pack(source, path, {});
  CHECK_FALSE(data::DatasetFile(path).test_share().has_value());
  source.testing_rows = 5;
  CHECK(message_of(ExitCode::usage, [&] {
          data::pack(source, path, {.test_share = 0.5});
        }).find("there are 5 test images already") != std::string::npos);
}
