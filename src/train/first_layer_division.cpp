#include "mnist_dist/train/first_layer_division.hpp"

namespace mnist_dist::train {
namespace {

/// With segment s of member m's rows as the unit s members + m, each worker gets as many units as there are segments, one
/// after the other.
LeafBlock segments_of(std::size_t segments, std::size_t members, std::size_t worker, std::size_t member) {
  // The first segment whose unit is not below a bound.
  const auto first_from = [&](std::size_t bound) { return (bound + (members - 1 - member)) / members; };
  return {first_from(segments * worker), first_from(segments * (worker + 1))};
}

}  // namespace

FirstLayerDivision::FirstLayerDivision(std::size_t segments, std::size_t members, std::size_t place) {
  for (std::size_t other = 0; other < members; ++other) {
    mine_.push_back(segments_of(segments, members, place, other));
    of_my_rows_.push_back(segments_of(segments, members, other, place));
  }
}

}  // namespace mnist_dist::train
