#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/data/epoch_plan.hpp"
#include "mnist_dist/data/holdout.hpp"

using namespace mnist_dist;

TEST_CASE("every row is in exactly one shard and is used exactly once in an epoch") {
  struct Case {
    std::size_t rows, batch_size, shards;
  };
  for (const Case& c : {Case{54000, 100, 8}, Case{1000, 7, 8}, Case{53, 100, 8}, Case{997, 64, 5}, Case{8, 3, 8},
                        Case{1234, 1, 3}, Case{100, 100, 1}, Case{1000, 33, 13}}) {
    CAPTURE(c.rows);
    CAPTURE(c.shards);
    const data::ShardPlan plan(c.rows, c.batch_size, c.shards);
    std::size_t next_row = 0;
    for (std::size_t shard = 0; shard < c.shards; ++shard) {
      const data::ShardPlan::Slice rows = plan.rows_of_shard(shard);
      CHECK(rows.begin == next_row);
      next_row = rows.end;
      std::size_t used = 0;
      for (std::size_t step = 0; step < plan.steps(); ++step) {
        const data::ShardPlan::Slice microbatch = plan.microbatch(shard, step);
        CHECK(microbatch.begin == used);
        CHECK(microbatch.size() <= plan.largest_microbatch());
        used = microbatch.end;
      }
      CHECK(used == rows.size());
    }
    CHECK(next_row == c.rows);
  }
}

TEST_CASE("every step has the batch size's rows, the last one the rest, evenly over the shards") {
  const data::ShardPlan plan(1050, 100, 8);
  REQUIRE(plan.steps() == 11);
  for (std::size_t step = 0; step < 11; ++step) {
    const std::size_t expected = step < 10 ? 100 : 50;
    CHECK(plan.rows_of_step(step) == expected);
    std::size_t rows = 0;
    for (std::size_t shard = 0; shard < 8; ++shard) {
      const std::size_t size = plan.microbatch(shard, step).size();
      rows += size;
      CHECK(size >= expected / 8);
      CHECK(size <= expected / 8 + 1);
    }
    CHECK(rows == expected);
    // Two and four ranks, which own contiguous blocks of shards, have equal work.
    for (const std::size_t block : {4, 2}) {
      std::set<std::size_t> of_rank;
      for (std::size_t first = 0; first < 8; first += block) {
        std::size_t sum = 0;
        for (std::size_t shard = first; shard < first + block; ++shard) sum += plan.microbatch(shard, step).size();
        of_rank.insert(sum);
      }
      CHECK(*of_rank.rbegin() - *of_rank.begin() <= (expected % (8 / block) == 0 ? 0 : 1));
    }
  }
}

TEST_CASE("a shard's order is a permutation of its own for every seed, epoch and shard") {
  const std::vector<std::uint32_t> order = data::shard_order(1, 1, 0, 500);
  CHECK(data::shard_order(1, 1, 0, 500) == order);
  CHECK(data::shard_order(2, 1, 0, 500) != order);
  CHECK(data::shard_order(1, 2, 0, 500) != order);
  CHECK(data::shard_order(1, 1, 1, 500) != order);
  std::vector<std::uint32_t> sorted = order;
  std::ranges::sort(sorted);
  for (std::uint32_t i = 0; i < 500; ++i) CHECK(sorted[i] == i);
}

TEST_CASE("the holdout takes its share of every class, at random, and leaves the rest") {
  std::vector<std::int32_t> labels;
  for (int i = 0; i < 1000; ++i) labels.push_back(i % 10 < 7 ? 0 : i % 10 < 9 ? 1 : 2);
  const data::HoldoutSplit split = data::split_holdout(labels, 3, 0.1, 1);
  std::vector<int> held(3);
  for (const std::uint64_t row : split.holdout_rows) ++held[static_cast<std::size_t>(labels[row])];
  CHECK(held == std::vector<int>{70, 20, 10});
  CHECK(std::ranges::is_sorted(split.holdout_rows));
  CHECK(std::ranges::is_sorted(split.training_rows));
  std::vector<std::uint64_t> all = split.training_rows;
  all.insert(all.end(), split.holdout_rows.begin(), split.holdout_rows.end());
  std::ranges::sort(all);
  for (std::uint64_t row = 0; row < 1000; ++row) CHECK(all[row] == row);
  CHECK(data::split_holdout(labels, 3, 0.1, 2).holdout_rows != split.holdout_rows);
  CHECK(data::split_holdout(labels, 3, 0.0, 1).holdout_rows.empty());
}

TEST_CASE("which rows are held out is drawn for every class by itself") {
  std::vector<std::int32_t> labels(200);
  std::fill(labels.begin() + 100, labels.end(), 1);
  std::vector<std::uint64_t> of_first;
  std::vector<std::uint64_t> of_second;
  for (const std::uint64_t row : data::split_holdout(labels, 2, 0.1, 1).holdout_rows) {
    (row < 100 ? of_first : of_second).push_back(row % 100);
  }
  CHECK(of_first.size() == of_second.size());
  CHECK(of_first != of_second);
}

TEST_CASE("the holdout's share of a class is rounded to the nearest, half a row up") {
  // A tenth of 14, 15 and 4 rows.
  std::vector<std::int32_t> labels(14, 0);
  labels.resize(29, 1);
  labels.resize(33, 2);
  const data::HoldoutSplit split = data::split_holdout(labels, 3, 0.1, 1);
  std::vector<int> held(3);
  for (const std::uint64_t row : split.holdout_rows) ++held[static_cast<std::size_t>(labels[row])];
  CHECK(held == std::vector<int>{1, 2, 0});
}

TEST_CASE("a batch larger than the rows is one batch of all rows") {
  const data::ShardPlan plan(53, std::size_t{1} << 53, 8);
  CHECK(plan.steps() == 1);
  CHECK(plan.rows_of_step(0) == 53);
  CHECK(plan.largest_microbatch() == 7);
  CHECK(plan.microbatch(3, 0).size() == data::ShardPlan(53, 53, 8).microbatch(3, 0).size());
}
