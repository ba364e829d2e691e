#include "mnist_dist/data/epoch_plan.hpp"

#include <algorithm>
#include <numeric>

#include "mnist_dist/core/random.hpp"

namespace mnist_dist::data {
namespace {

/// The shards in the order of their mirrored binary digits: 0, 4, 2, 6, 1, 5, 3, 7. Where a batch does not
/// divide by the shards, the shards with a row more lie apart, so that ranks, which own contiguous blocks,
/// have equal work.
std::vector<std::size_t> turns(std::size_t shards) {
  std::size_t width = 1;
  while (width < shards) width *= 2;
  std::vector<std::size_t> turn(shards);
  std::size_t next = 0;
  for (std::size_t i = 0; i < width; ++i) {
    std::size_t mirrored = 0;
    for (std::size_t bit = 1; bit < width; bit *= 2) mirrored = 2 * mirrored + ((i & bit) != 0 ? 1 : 0);
    if (mirrored < shards) turn[mirrored] = next++;
  }
  return turn;
}

}  // namespace

ShardPlan::ShardPlan(std::size_t rows, std::size_t batch_size, std::size_t shards)
    : rows_(rows),
      batch_size_(std::min(batch_size, std::max(rows, std::size_t{1}))),
      shards_(shards),
      turn_(turns(shards)) {}

std::size_t ShardPlan::rows_of_step(std::size_t step) const {
  return std::min(batch_size_, rows_ - step * batch_size_);
}

std::size_t ShardPlan::taken_from(std::size_t shard, std::size_t count) const {
  return (count + shards_ - 1 - turn_[shard]) / shards_;
}

ShardPlan::Slice ShardPlan::rows_of_shard(std::size_t shard) const {
  Slice rows;
  for (std::size_t earlier = 0; earlier < shard; ++earlier) rows.begin += taken_from(earlier, rows_);
  rows.end = rows.begin + taken_from(shard, rows_);
  return rows;
}

ShardPlan::Slice ShardPlan::microbatch(std::size_t shard, std::size_t step) const {
  const std::size_t first = step * batch_size_;
  return {taken_from(shard, first), taken_from(shard, first + rows_of_step(step))};
}

std::vector<std::uint32_t> shard_order(std::uint64_t seed, std::uint32_t epoch, std::size_t shard, std::size_t rows) {
  std::vector<std::uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0U);
  RandomStream({.seed = seed, .purpose = Purpose::shuffle, .epoch = epoch, .id = shard}).shuffle(std::span(order));
  return order;
}

}  // namespace mnist_dist::data
