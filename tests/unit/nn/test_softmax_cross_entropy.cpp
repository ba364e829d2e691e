#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/nn/softmax_cross_entropy.hpp"
#include "network_example.hpp"

using namespace mnist_dist;

TEST_CASE("loss and gradient of smoothed labels agree with PyTorch in double precision") {
  const nlohmann::json json = reference("label_smoothing.json");
  const auto labels = json.at("labels").get<std::vector<std::int32_t>>();
  const float scale = 1.0F / static_cast<float>(labels.size());
  for (const nlohmann::json& expected : json.at("cases")) {
    const double smoothing = expected.at("smoothing");
    CAPTURE(smoothing);
    std::vector<float> values = flat(json.at("logits"));
    const MatrixView<float> logits(values.data(), labels.size(), values.size() / labels.size());
    const double loss = nn::softmax_cross_entropy(logits, labels, scale, smoothing);
    CHECK(difference(loss / static_cast<double>(labels.size()), expected.at("loss")) < 2e-6);
    CHECK(largest_difference(values, flat(expected.at("gradient"))) < 5e-8);
  }
}

TEST_CASE("without smoothing nothing changes") {
  const nlohmann::json json = reference("label_smoothing.json");
  const auto labels = json.at("labels").get<std::vector<std::int32_t>>();
  std::vector<float> gradient = flat(json.at("logits"));
  const MatrixView<float> logits(gradient.data(), labels.size(), gradient.size() / labels.size());
  std::vector<float> expected = gradient;
  const MatrixView<float> probabilities(expected.data(), logits.rows, logits.columns);
  nn::softmax_cross_entropy(logits, labels, 0.3F);
  nn::softmax(probabilities);
  for (std::size_t row = 0; row < labels.size(); ++row) {
    probabilities.row(row)[static_cast<std::size_t>(labels[row])] -= 1.0F;
    for (float& value : probabilities.row(row)) value *= 0.3F;
  }
  CHECK(gradient == expected);
}

TEST_CASE("softmax stays finite for huge logits") {
  std::vector<float> values = {1e4F, 0.0F, -1e4F};
  const std::vector<std::int32_t> labels = {1};
  const double loss = nn::softmax_cross_entropy({values.data(), 1, 3}, labels, 1.0F);
  CHECK(difference(loss, 1e4) < 0.01);
  CHECK(values[0] == 1.0F);
  CHECK(values[1] == -1.0F);
  CHECK(values[2] == 0.0F);
}
