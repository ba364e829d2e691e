#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/core/base64.hpp"
#include "mnist_dist/data/pack/dataset_writer.hpp"
#include "mnist_dist/image/png.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/report/report_page.hpp"
#include "mnist_dist/train/scoring.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;
using data::ImageShape;
using nlohmann::json;

namespace {

std::vector<std::byte> decoded(std::string_view base64) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::byte> bytes;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char digit : base64) {
    if (digit == '=') break;
    bits = bits << 6 | static_cast<std::uint32_t>(kDigits.find(digit));
    count += 6;
    if (count >= 8) bytes.push_back(static_cast<std::byte>(bits >> (count -= 8) & 255));
  }
  return bytes;
}

/// Test images of noise, and a run whose model knows nothing of them.
class Example {
 public:
  Example(const ImageShape& shape, const std::vector<std::string>& classes, std::size_t rows,
          const std::vector<std::size_t>& hidden = {5}) {
    std::vector<std::uint8_t> pixels(rows * shape.size());
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(next());
    std::vector<std::int32_t> labels;
    for (std::size_t row = 0; row < rows; ++row) {
      labels.push_back(static_cast<std::int32_t>(row % classes.size()));
      names.push_back(fmt::format("testing/{}.png", row));
    }
    data::DatasetWriter writer(folder_.path() / "data.h5", shape, classes, 0);
    writer.append(data::Split::training, pixels, labels, names);
    writer.append(data::Split::testing, pixels, labels, names);
    writer.finish();
    const data::DatasetFile file(folder_.path() / "data.h5");
    std::vector<std::uint64_t> all(rows);
    std::iota(all.begin(), all.end(), std::uint64_t{0});
    images.emplace_back(file, data::Split::testing, all, labels);
    make_run(file, hidden);
  }

  [[nodiscard]] std::string page(std::size_t runs = 1) const {
    return report::report_page(std::vector<report::RunRecord>(runs, run), images.front(), names);
  }
  [[nodiscard]] json data(std::size_t runs = 1) const {
    const std::string text = page(runs);
    const std::string begin = "<script type=\"application/json\" id=\"report-data\">";
    const std::size_t first = text.find(begin) + begin.size();
    return json::parse(text.substr(first, text.find("</script>", first) - first));
  }

  std::vector<data::ImageRows> images;  // one
  std::vector<std::string> names;
  report::RunRecord run;

 private:
  std::uint32_t next() { return (state_ = state_ * 1664525U + 1013904223U) >> 24; }

  void make_run(const data::DatasetFile& file, const std::vector<std::size_t>& hidden) {
    run.folder = "runs/one";
    run.model.architecture = {file.image_shape().size(), hidden, file.classes().size()};
    run.model.parameters.resize(nn::parameter_count(run.model.architecture));
    for (float& parameter : run.model.parameters) parameter = static_cast<float>(next()) / 256.0F - 0.5F;
    run.model.image_shape = file.image_shape();
    run.model.mean = file.mean();
    run.model.standard_deviation = file.standard_deviation();
    run.model.classes = file.classes();
    run.model.epoch = 2;
    run.model.score = 0.5;
    run.history = {{1, 0.25, 2.5, 0.2, 1.5, 250, 3}, {2, 0.5, 1.25, 0.4, 1.25, 250, 6}};
    run.predictions = report::predict_images(run.model, images.front());
  }

  TemporaryFolder folder_;
  std::uint32_t state_ = 1;
};

const std::vector<std::string> kTen = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

std::size_t occurrences(const std::string& text, const std::string& word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("base64 agrees with the examples of RFC 4648") {
  const auto of = [](std::string_view text) { return base64(std::as_bytes(std::span(text))); };
  CHECK(of("").empty());
  CHECK(of("f") == "Zg==");
  CHECK(of("fo") == "Zm8=");
  CHECK(of("foobar") == "Zm9vYmFy");
  CHECK(of("\xFB\xFF") == "+/8=");
}

TEST_CASE("a report's predictions are those that evaluate counts") {
  const Example example({7, 9, 1}, kTen, 611, {20, 20});
  const run::Model& model = example.run.model;
  const nn::Network network(model.architecture, nn::standardizing(model.mean, model.standard_deviation));
  nn::Workspace workspace(model.architecture, train::kScoringRows);
  data::Batch batch(train::kScoringRows, model.architecture.inputs);
  train::ConfusionMatrix expected(10);
  train::score_rows(network, nn::with_padding(model.architecture, model.parameters), example.images.front(), 0, 611,
                    batch, workspace, expected);
  train::ConfusionMatrix outcomes = report::count_outcomes(example.run);
  CHECK(std::ranges::equal(outcomes.counts(), expected.counts()));
  CHECK(outcomes.correct() < 611);
  for (const report::Prediction& one : example.run.predictions) {
    CHECK(one.probability >= one.actual_probability);
    CHECK(one.actual_probability >= 0);
    CHECK((one.predicted != one.actual || one.probability == one.actual_probability));
  }
}

TEST_CASE("the page's data tell what is known of the run") {
  Example example({7, 9, 1}, kTen, 500);
  example.run.settings.schedule = "step";
  example.run.settings.decay_every = 1;
  example.run.settings.epochs = 2;
  const json page = example.data(2);
  REQUIRE(page["runs"].size() == 2);
  const json& run = page["runs"][1];
  const std::int64_t correct = report::count_outcomes(example.run).correct();
  CHECK(run["test"]["correct"] == correct);
  CHECK(run["test"]["total"] == 500);
  CHECK(is_close(run["test"]["accuracy"].get<double>(), static_cast<double>(correct) / 500, 1e-15));
  CHECK(run["test"]["low"] < run["test"]["accuracy"]);
  CHECK(run["test"]["accuracy"] < run["test"]["high"]);
  CHECK(run["curves"]["loss"] == json({2.5, 1.25}));
  CHECK(run["curves"]["seconds"] == json({1.5, 1.25}));
  CHECK(run["curves"]["learning_rate"] == json({0.001, 0.0001}));
  CHECK(run["seconds"] == 2.75);
  CHECK(run["settings"]["schedule"] == "\"step\"");
  std::int64_t images = 0;
  for (const json& cell : page["matrix"]["cells"]) images += cell[2].get<std::int64_t>();
  CHECK(images == 500);
  CHECK(page["scores"].size() == 10);
  CHECK(page["scores"][3][4] == 50);
  const std::vector<std::byte> parameters = decoded(page["network"]["parameters"].get<std::string>());
  REQUIRE(parameters.size() == 4 * example.run.model.parameters.size());
  CHECK(
      std::equal(parameters.begin(), parameters.end(), std::as_bytes(std::span(example.run.model.parameters)).begin()));
}

TEST_CASE("a run without a holdout has no score, and no epoch is no crash") {
  Example example({4, 4, 1}, {"a", "b"}, 10);
  for (train::EpochMetrics& epoch : example.run.history) {
    epoch.score = epoch.accuracy = std::numeric_limits<double>::quiet_NaN();
  }
  example.run.model.score = std::numeric_limits<double>::quiet_NaN();
  CHECK(example.data()["runs"][0]["curves"]["score"] == json({nullptr, nullptr}));
  CHECK(example.data()["runs"][0]["score"].is_null());
  example.run.history.clear();
  CHECK(example.data()["runs"][0]["epochs"] == 0);
}

TEST_CASE("no name of a class, a file or a run can end the data, or become HTML") {
  const std::vector<std::string> hostile = {"</script><b>", "\"&<",     "<!--<script>",
                                            "]]>",          "\xFF\xFE", "it's \\ %PAGE_DATA%"};
  Example example({4, 4, 1}, hostile, 60);
  const Example harmless({4, 4, 1}, {"a", "b", "c", "d", "e", "f"}, 60);
  example.run.folder = "</script>";
  example.names[0] = "</SCRIPT >";
  const json page = example.data();
  CHECK(page["classes"][0] == "</script><b>");
  CHECK(page["classes"][1] == "\"&<");
  CHECK(page["classes"][5] == "it's \\ %PAGE_DATA%");
  CHECK(page["runs"][0]["name"] == "</script>");
  for (const char* word : {"<script", "</script", "<!--", "<b>"}) {
    CAPTURE(word);
    CHECK(occurrences(example.page(), word) == occurrences(harmless.page(), word));
  }
}

TEST_CASE("examples begin with the surest mistakes and lie where the sheet has them") {
  const Example example({9, 7, 1}, kTen, 800);
  const json page = example.data();
  const json& examples = page["examples"];
  REQUIRE(page["worst"] == 24);
  std::vector<float> wrong;
  for (const report::Prediction& one : example.run.predictions) {
    if (one.predicted != one.actual) wrong.push_back(one.probability);
  }
  std::ranges::sort(wrong, std::greater{});
  for (std::size_t i = 0; i < 24; ++i) CHECK(is_close(examples[i][3].get<double>(), wrong[i], 1e-5));

  const json& sheet = page["sheet"];
  const std::string png = sheet["png"].get<std::string>();
  const image::Image picture = image::decode_png(decoded(png.substr(png.find(',') + 1)), "the sheet");
  const std::size_t columns = sheet["columns"];
  const std::size_t line = sheet["line"];
  std::set<std::string> files;
  std::size_t different = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    files.insert(examples[i][0].get<std::string>());
    const auto row = std::ranges::find(example.names, examples[i][0].get<std::string>()) - example.names.begin();
    const std::span<const std::uint8_t> pixels = example.images.front().pixels(static_cast<std::size_t>(row));
    for (std::size_t y = 0; y < 9; ++y) {
      const std::size_t top = line + i / columns * (9 + line);
      const std::size_t left = line + i % columns * (7 + line);
      const auto* on_sheet = &picture.pixels[(top + y) * picture.width + left];
      if (!std::equal(on_sheet, on_sheet + 7, &pixels[y * 7])) ++different;
    }
  }
  CHECK(different == 0);
  CHECK(files.size() == examples.size());
}

TEST_CASE("the page stays below its limit: pictures give way, then the network") {
  SUBCASE("large colour images of noise") {
    const Example example({64, 64, 3}, kTen, 900, {});
    CHECK(example.page().size() <= report::kMostPageBytes);
    CHECK(example.page().size() > report::kMostPageBytes / 3);
    CHECK_FALSE(example.data()["examples"].empty());
    CHECK_FALSE(example.data()["network"].is_null());
  }
  SUBCASE("a network that just fits, and one that does not") {
    const Example fits({28, 28, 1}, kTen, 400, {210, 100});
    CHECK_FALSE(fits.data()["network"].is_null());
    CHECK(fits.page().size() <= report::kMostPageBytes);
    CHECK_FALSE(fits.data()["examples"].empty());
    const Example large({28, 28, 1}, kTen, 400, {512, 512, 512});
    CHECK(large.data()["network"].is_null());
    CHECK(large.page().size() <= report::kMostPageBytes);
  }
  SUBCASE("a long run") {
    Example example({4, 4, 1}, kTen, 100);
    example.run.history.clear();
    for (std::int64_t epoch = 1; epoch <= 123456; ++epoch) {
      example.run.history.push_back(
          {epoch, 0.123456789, 1.0 / static_cast<double>(epoch), 0.98765432, 0.1, 100, epoch});
    }
    CHECK(example.page().size() <= 900'000);
    const json epochs = example.data()["runs"][0]["curves"]["epoch"];
    CHECK(epochs.size() <= 1001);
    CHECK(epochs.size() > 900);
    CHECK(epochs.back() == 123456);
  }
}

TEST_CASE("of many classes the matrix shows those with the most mistakes") {
  std::vector<std::string> classes;
  for (int k = 0; k < 250; ++k) classes.push_back(fmt::format("{:03}", k));
  Example example({3, 3, 1}, classes, 500);
  for (std::size_t row = 0; row < example.run.predictions.size(); ++row) {
    report::Prediction& one = example.run.predictions[row];
    one.predicted = one.actual >= 100 && one.actual < 130 ? one.actual ^ 1 : one.actual;
  }
  const json page = example.data();
  CHECK(page["matrix"]["classes"].size() == 30);
  CHECK(page["matrix"]["classes"].front() == 100);
  CHECK(page["matrix"]["classes"].back() == 129);
  CHECK(page["scores"].size() == 200);
  CHECK(page["scores"][0][3] == 0);
}

TEST_CASE("a unit's picture is its weights times the deviations, the strongest unit first") {
  Example example({2, 2, 1}, {"a", "b"}, 10, {3});
  run::Model& model = example.run.model;
  model.standard_deviation = {1, 2, 0, 1};
  std::ranges::fill(model.parameters, 0.0F);
  // [pixel x unit]
  const std::vector<float> weights = {0, 1, 0, 0, -1, 0, 0, 9, 0, 0, 0.5F, 0.1F};
  std::ranges::copy(weights, model.parameters.begin());
  const json units = example.data()["units"];
  CHECK(units["count"] == 3);
  CHECK(units["shown"] == json({1, 2, 0}));
  const std::vector<std::byte> pixels = decoded(units["pixels"].get<std::string>());
  const std::vector<int> expected = {192, 1, 128, 160, 128, 128, 128, 255, 128, 128, 128, 128};
  REQUIRE(pixels.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(static_cast<int>(pixels[i]) == expected[i]);
}
