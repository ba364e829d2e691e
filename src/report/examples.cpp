#include "examples.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "mnist_dist/image/contact_sheet.hpp"
#include "mnist_dist/image/resample.hpp"

namespace mnist_dist::report {
namespace {

constexpr std::size_t kWorst = 24;
constexpr std::size_t kOfCell = 24;
constexpr std::size_t kMostExamples = 3000;
constexpr std::size_t kColumns = 32;
constexpr std::size_t kLongestSide = 64;

bool is_wrong(const Prediction& prediction) {
  return prediction.predicted != prediction.actual;
}

}  // namespace

Examples choose_examples(std::span<const Prediction> predictions) {
  // The surest mistakes first, then what is right, the least sure first.
  std::vector<std::size_t> order(predictions.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t left, std::size_t right) {
    const Prediction &a = predictions[left], &b = predictions[right];
    if (is_wrong(a) != is_wrong(b)) return is_wrong(a);
    return is_wrong(a) ? a.probability > b.probability : a.probability < b.probability;
  });
  Examples examples;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> seen;  // images of a cell
  std::vector<std::pair<std::size_t, std::size_t>> chosen;              // by turn: 0 for the worst, and row
  for (std::size_t place = 0; place < order.size(); ++place) {
    const Prediction& prediction = predictions[order[place]];
    const bool worst = is_wrong(prediction) && place < kWorst;
    if (worst) ++examples.worst;
    const std::size_t turn = ++seen[{prediction.actual, prediction.predicted}];
    if (worst || turn <= kOfCell) chosen.emplace_back(worst ? 0 : turn, order[place]);
  }
  std::ranges::stable_sort(chosen, {}, [](const auto& turn_and_row) { return turn_and_row.first; });
  chosen.resize(std::min(chosen.size(), kMostExamples));
  for (const auto& [turn, row] : chosen) examples.rows.push_back(row);
  return examples;
}

ExampleSheet draw_examples(const data::ImageRows& images, const data::ImageShape& shape,
                           std::span<const std::size_t> rows) {
  const std::size_t longest = std::max({shape.height, shape.width, kLongestSide});
  const auto scaled = [&](std::size_t side) { return std::max(std::size_t{1}, side * kLongestSide / longest); };
  ExampleSheet result{{}, std::min(kColumns, rows.size()), scaled(shape.height), scaled(shape.width)};
  std::vector<std::vector<image::Image>> lines;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i % kColumns == 0) lines.emplace_back();
    const std::span<const std::uint8_t> pixels = images.pixels(rows[i]);
    image::Image one{shape.height, shape.width, shape.channels, {pixels.begin(), pixels.end()}};
    lines.back().push_back(image::resample(std::move(one), result.height, result.width));
  }
  result.sheet = image::contact_sheet(lines, 1);
  return result;
}

}  // namespace mnist_dist::report
