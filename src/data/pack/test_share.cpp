#include "mnist_dist/data/pack/test_share.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/random.hpp"

namespace mnist_dist::data {

TestShare::TestShare(const ImageSource& source, double share) : source_(source) {
  if (source.rows(Split::testing) > 0) {
    throw Error(ExitCode::usage, fmt::format("--test-share {}: there are {} test images already; leave the option away",
                                             share, source.rows(Split::testing)));
  }
  const std::size_t rows = source.rows(Split::training);
  std::vector<std::vector<std::size_t>> rows_of_class(source.classes().size());
  for (std::size_t row = 0; row < rows; ++row) {
    const auto label = static_cast<std::size_t>(source.label(Split::training, row));
    if (!source.is_held_out(row)) rows_of_class[label].push_back(row);
  }
  std::vector<bool> is_drawn(rows);
  for (std::size_t label = 0; label < rows_of_class.size(); ++label) {
    std::vector<std::size_t>& of_class = rows_of_class[label];
    if (of_class.size() < 2) continue;
    RandomStream({.seed = kTestShareSeed, .purpose = Purpose::test_share, .epoch = 0, .id = label})
        .shuffle(std::span(of_class));
    const auto wanted = static_cast<std::size_t>(std::lround(share * static_cast<double>(of_class.size())));
    const std::size_t count = std::clamp<std::size_t>(wanted, 1, of_class.size() - 1);
    for (std::size_t i = 0; i < count; ++i) is_drawn[of_class[i]] = true;
  }
  for (std::size_t row = 0; row < rows; ++row) (is_drawn[row] ? testing_ : training_).push_back(row);
}

std::int32_t TestShare::label(Split split, std::size_t row) const {
  return source_.label(Split::training, rows_of(split)[row]);
}

std::string TestShare::name(Split split, std::size_t row) const {
  return source_.name(Split::training, rows_of(split)[row]);
}

image::Image TestShare::image(Split split, std::size_t row) const {
  return source_.image(Split::training, rows_of(split)[row]);
}

}  // namespace mnist_dist::data
