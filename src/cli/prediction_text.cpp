#include "prediction_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "mnist_dist/core/error.hpp"

namespace mnist_dist::cli {
namespace {

/// The `top` most probable classes; of equals, the first.
std::vector<std::size_t> most_probable(std::span<const float> probabilities, std::size_t top) {
  std::vector<std::size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(
      order, [&](std::size_t left, std::size_t right) { return probabilities[left] > probabilities[right]; });
  order.resize(std::min(order.size(), top));
  return order;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char character : text) quoted.append(character == '"' ? 2 : 1, character);
  return quoted + '"';
}

}  // namespace

std::string plain_line(const PredictedImage& prediction, const std::vector<std::string>& classes, std::size_t top) {
  std::string line = printable(prediction.image);
  for (const std::size_t index : most_probable(prediction.probabilities, top)) {
    line += fmt::format("  {}  {:.4f}", classes[index], prediction.probabilities[index]);
  }
  return line + "\n";
}

std::string csv_header(std::size_t top) {
  std::string line = "image,label,probability";
  for (std::size_t i = 2; i <= top; ++i) line += fmt::format(",label_{0},probability_{0}", i);
  return line + "\n";
}

std::string csv_line(const PredictedImage& prediction, const std::vector<std::string>& classes, std::size_t top) {
  std::string line = csv_field(prediction.image);
  for (const std::size_t index : most_probable(prediction.probabilities, top)) {
    line += fmt::format(",{},{}", csv_field(classes[index]), prediction.probabilities[index]);
  }
  return line + "\n";
}

std::string json_line(const PredictedImage& prediction, const std::vector<std::string>& classes, std::size_t top) {
  const std::size_t best = most_probable(prediction.probabilities, 1).front();
  std::vector<std::size_t> shown = most_probable(prediction.probabilities, top == 0 ? classes.size() : top);
  if (top == 0) std::ranges::sort(shown);
  nlohmann::ordered_json probabilities;
  for (const std::size_t index : shown) probabilities[classes[index]] = prediction.probabilities[index];
  const nlohmann::ordered_json line = {{"image", prediction.image},
                                       {"label", classes[best]},
                                       {"probability", prediction.probabilities[best]},
                                       {"inverted", prediction.inverted},
                                       {"probabilities", probabilities}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace mnist_dist::cli
