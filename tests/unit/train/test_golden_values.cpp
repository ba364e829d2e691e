// Values of the definitions on which every result rests, from tests/reference/generate.py: a changed stream, plan,
// weight, mask or image makes other models of the same settings, and must not go unseen.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/core/random.hpp"
#include "mnist_dist/data/augment/augmentation.hpp"
#include "mnist_dist/data/augment/elastic_field.hpp"
#include "mnist_dist/data/epoch_plan.hpp"
#include "mnist_dist/data/holdout.hpp"
#include "mnist_dist/nn/dropout.hpp"
#include "mnist_dist/nn/network.hpp"

using namespace mnist_dist;

namespace {

const nlohmann::json& golden() {
  static const nlohmann::json values = [] {
    std::ifstream file(std::filesystem::path(REFERENCE_DATA) / "golden.json");
    return nlohmann::json::parse(file);
  }();
  return values;
}

template <class T>
std::vector<T> list(const nlohmann::json& values) {
  return values.get<std::vector<T>>();
}

template <class Values>
std::size_t differences(const Values& computed, const nlohmann::json& expected, double tolerance) {
  REQUIRE(computed.size() == expected.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    count += is_close(computed[i], expected[i].get<double>(), tolerance) ? 0 : 1;
  }
  return count;
}

std::vector<std::uint8_t> bytes_of_hex(const std::string& hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

}  // namespace

TEST_CASE("golden values: random words and numbers below a bound") {
  for (const nlohmann::json& name : golden().at("streams")) {
    const StreamKey key{.seed = name.at("seed").get<std::uint64_t>(),
                        .purpose = static_cast<Purpose>(name.at("purpose").get<std::uint32_t>()),
                        .epoch = name.at("epoch").get<std::uint32_t>(),
                        .id = name.at("id").get<std::uint64_t>()};
    CAPTURE(key.id);
    const auto expected = list<std::uint32_t>(name.at("words"));
    std::vector<std::uint32_t> words(expected.size());
    RandomStream(key).fill(words);
    CHECK(words == expected);
    RandomStream stream(key);
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(stream.next_bits() == expected[i]);
    RandomStream numbers(key);
    std::vector<std::uint32_t> below;
    for (const std::uint32_t bound : list<std::uint32_t>(name.at("bounds"))) below.push_back(numbers.below(bound));
    CHECK(below == list<std::uint32_t>(name.at("below")));
  }
}

TEST_CASE("golden values: initial weights") {
  for (const nlohmann::json& network : golden().at("weights")) {
    const auto name = network.at("activation").get<std::string>();
    CAPTURE(name);
    const auto sizes = list<std::size_t>(network.at("sizes"));
    nn::Architecture architecture;
    architecture.inputs = sizes[0];
    architecture.hidden = {sizes[1]};
    architecture.outputs = sizes[2];
    architecture.activation = *value_of(nn::kActivations, name);
    std::vector<float> parameters(nn::padded_size(architecture));
    nn::Network(architecture, {}).initialize(parameters, network.at("seed").get<std::uint64_t>());
    CHECK(differences(nn::without_padding(architecture, parameters), network.at("parameters"), 3e-7) == 0);
  }
}

TEST_CASE("golden values: the holdout") {
  const auto labels = list<std::int32_t>(golden().at("labels"));
  for (const nlohmann::json& expected : golden().at("holdouts")) {
    const data::HoldoutSplit split =
        data::split_holdout(labels, 3, expected.at("share").get<double>(), expected.at("seed").get<std::uint64_t>());
    CHECK(split.holdout_rows == list<std::uint64_t>(expected.at("holdout_rows")));
    CHECK(split.training_rows == list<std::uint64_t>(expected.at("training_rows")));
  }
}

TEST_CASE("golden values: shards, microbatches and the order of rows") {
  for (const nlohmann::json& expected : golden().at("plans")) {
    const auto shards = expected.at("shards").get<std::size_t>();
    const data::ShardPlan plan(expected.at("rows").get<std::size_t>(), expected.at("batch_size").get<std::size_t>(),
                               shards);
    std::size_t next = 0;
    for (std::size_t shard = 0; shard < shards; ++shard) {
      CHECK(plan.rows_of_shard(shard).begin == next);
      CHECK(plan.rows_of_shard(shard).size() == expected.at("rows_of_shards")[shard].get<std::size_t>());
      next = plan.rows_of_shard(shard).end;
    }
    const nlohmann::json& microbatches = expected.at("microbatches");
    REQUIRE(plan.steps() == microbatches.size());
    for (std::size_t step = 0; step < plan.steps(); ++step) {
      for (std::size_t shard = 0; shard < shards; ++shard) {
        CHECK(plan.microbatch(shard, step).size() == microbatches[step][shard].get<std::size_t>());
      }
    }
  }
  for (const nlohmann::json& expected : golden().at("orders")) {
    CHECK(data::shard_order(expected.at("seed").get<std::uint64_t>(), expected.at("epoch").get<std::uint32_t>(),
                            expected.at("shard").get<std::size_t>(),
                            expected.at("rows").get<std::size_t>()) == list<std::uint32_t>(expected.at("order")));
  }
}

TEST_CASE("golden values: dropout masks") {
  for (const nlohmann::json& expected : golden().at("masks")) {
    const auto epoch = expected.at("epoch").get<std::uint32_t>();
    const auto layer = expected.at("layer").get<std::size_t>();
    CAPTURE(epoch);
    CAPTURE(layer);
    const auto rows = list<std::uint64_t>(expected.at("row_ids"));
    const nlohmann::json& kept = expected.at("kept");
    const std::size_t units = kept[0].size();
    std::vector<float> scales(rows.size() * units);
    const nn::Dropout dropout(expected.at("rate").get<double>(), expected.at("seed").get<std::uint64_t>(), epoch);
    dropout.draw(rows, layer, {scales.data(), rows.size(), units});
    const auto scale = expected.at("scale").get<double>();
    for (std::size_t i = 0; i < scales.size(); ++i) {
      CHECK(is_close(scales[i], scale * kept[i / units][i % units].get<double>(), 1e-6));
    }
  }
}

TEST_CASE("golden values: augmented images") {
  const nlohmann::json& expected = golden().at("augmentation");
  const nlohmann::json& settings = expected.at("settings");
  const data::ImageShape shape{golden().at("height").get<std::size_t>(), golden().at("width").get<std::size_t>(), 1};
  for (const nlohmann::json& image : expected.at("images")) {
    const auto epoch = image.at("epoch").get<std::uint32_t>();
    const auto row = image.at("row").get<std::uint64_t>();
    CAPTURE(epoch);
    CAPTURE(row);
    data::Augmentation augmentation(shape,
                                    {.rotation = settings.at("rotation").get<double>(),
                                     .scaling = settings.at("scaling").get<double>(),
                                     .shear = settings.at("shear").get<double>(),
                                     .shift = settings.at("shift").get<double>(),
                                     .elastic = settings.at("elastic").get<double>(),
                                     .elastic_smoothing = settings.at("elastic-smoothing").get<double>()},
                                    expected.at("seed").get<std::uint64_t>(), epoch);
    const std::vector<std::uint8_t> pixels = bytes_of_hex(image.at("pixels").get<std::string>());
    std::vector<std::uint8_t> warped(pixels.size());
    augmentation.apply(row, pixels, warped);
    CHECK(warped == bytes_of_hex(image.at("warped").get<std::string>()));
  }
}

TEST_CASE("golden values: elastic fields") {
  for (const nlohmann::json& expected : golden().at("fields")) {
    data::ElasticField field(expected.at("height").get<std::size_t>(), expected.at("width").get<std::size_t>(),
                             expected.at("smoothing").get<double>());
    const auto random = list<std::uint32_t>(expected.at("random"));
    REQUIRE(field.words() == random.size());
    field.generate(random);
    CHECK(differences(field.x(), expected.at("x"), 2e-6) == 0);
    CHECK(differences(field.y(), expected.at("y"), 2e-6) == 0);
    CHECK(is_close(field.largest(), expected.at("largest").get<double>(), 2e-6));
  }
}
