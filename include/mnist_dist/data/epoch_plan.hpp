// Which rows train in which step: a pure function of (seed, epoch, shard), whatever the number of ranks.
// Local.
//
// The training rows are dealt to the shards once and for all: each shard is a contiguous block of the
// training rows. In an epoch, each shard goes through its rows in an order of its own, and gives every step
// its share of the global batch: its microbatch. Every row is used exactly once; every step has exactly
// batch_size rows, the last one the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mnist_dist::data {

/// How rows and batches divide over the shards. The same in every epoch.
class ShardPlan {
 public:
  /// @param rows the training rows  @param batch_size the rows of a global batch, at least 1; more
  /// than `rows` is one batch of all  @param shards at least 1
  ShardPlan(std::size_t rows, std::size_t batch_size, std::size_t shards);

  /// Steps in an epoch.
  [[nodiscard]] std::size_t steps() const { return (rows_ + batch_size_ - 1) / batch_size_; }
  /// Rows of a step, over all shards.
  [[nodiscard]] std::size_t rows_of_step(std::size_t step) const;

  /// Part of a sequence: [begin, end).
  struct Slice {
    std::size_t begin = 0;
    std::size_t end = 0;
    [[nodiscard]] std::size_t size() const { return end - begin; }
  };
  /// The training rows (counted from 0 in their ascending order) that a shard owns.
  [[nodiscard]] Slice rows_of_shard(std::size_t shard) const;
  /// Which part of a shard's order of this epoch is its microbatch in a step; empty when there are more
  /// shards than rows.
  [[nodiscard]] Slice microbatch(std::size_t shard, std::size_t step) const;
  /// The most rows that any microbatch has.
  [[nodiscard]] std::size_t largest_microbatch() const { return (batch_size_ + shards_ - 1) / shards_; }

 private:
  /// How many of the first `count` rows of an epoch come from the shard.
  [[nodiscard]] std::size_t taken_from(std::size_t shard, std::size_t count) const;

  std::size_t rows_;
  std::size_t batch_size_;
  std::size_t shards_;
  std::vector<std::size_t> turn_;  // by shard: its place when an epoch's rows are dealt in turn
};

/// The order in which a shard goes through its rows in an epoch: a permutation of 0, ..., rows - 1.
[[nodiscard]] std::vector<std::uint32_t> shard_order(std::uint64_t seed, std::uint32_t epoch, std::size_t shard,
                                                     std::size_t rows);

}  // namespace mnist_dist::data
