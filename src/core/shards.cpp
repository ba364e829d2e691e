#include "mnist_dist/core/shards.hpp"

namespace mnist_dist {

ShardBlock shards_of_rank(std::size_t shards, int ranks, int rank) {
  const auto count = static_cast<std::size_t>(ranks);
  const auto index = static_cast<std::size_t>(rank);
  return {shards * index / count, shards * (index + 1) / count};
}

}  // namespace mnist_dist
