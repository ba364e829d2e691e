#include "known_gradients.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "mnist_dist/core/random.hpp"

using namespace mnist_dist;
using comm::Communicator;
using comm::GradientReduction;

std::vector<float> gradient_of(std::size_t shard, std::uint32_t step) {
  RandomStream stream({.seed = 1, .purpose = Purpose::shuffle, .epoch = step, .id = shard});
  std::vector<float> values(kParameters);
  for (float& value : values) value = stream.uniform(-1, 1) * (stream.below(2) == 0 ? 1.0F : 1e-3F);
  return values;
}

std::vector<float> sum(std::vector<float> left, const std::vector<float>& right) {
  for (std::size_t i = 0; i < left.size(); ++i) left[i] += right[i];
  return left;
}

std::vector<float> tree_sum(std::size_t first, std::size_t width, std::size_t shards, std::uint32_t step) {
  if (width == 1) return gradient_of(first, step);
  const std::size_t middle = first + width / 2;
  if (middle >= shards) return tree_sum(first, width / 2, shards, step);
  return sum(tree_sum(first, width / 2, shards, step), tree_sum(middle, width / 2, shards, step));
}

KnownGradients::KnownGradients(const Communicator& ranks, const Communicator& host, const GradientReduction& reduction,
                               std::uint32_t step)
    : rank_(ranks.rank()), step_(step), reduction_(reduction), known_(static_cast<std::size_t>(ranks.size())) {
  for (int rank = 0; rank < host.size(); ++rank) known(rank_ - host.rank() + rank) = true;
  for (const comm::ShardSum& shard_sum : reduction.shard_sums()) {
    std::vector<std::vector<float>> sums;
    for (std::size_t i = 0; i < shard_sum.shards.size(); ++i) {
      sums.push_back(gradient_of(shard_sum.shards[i].shard, step));
      for (int merge = 0; merge < shard_sum.merges[i]; ++merge) {
        sums[sums.size() - 2] = sum(sums[sums.size() - 2], sums.back());
        sums.pop_back();
      }
    }
    REQUIRE(sums.size() == 1);
    sums_.push_back(sums.front());
  }
}

void KnownGradients::form(const ParameterRange& block, std::size_t shard_sum, float* to) const {
  for (const comm::ShardSum::Shard& shard : reduction_.shard_sums()[shard_sum].shards) {
    REQUIRE(known_[static_cast<std::size_t>(shard.rank)]);
  }
  std::ranges::copy(block.of(std::span(sums_[shard_sum])), to);
}

void KnownGradients::pack(std::span<std::byte> bytes) const {
  REQUIRE(bytes.size() == packed_size());
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = byte_of(rank_, i);
}

void KnownGradients::take(int rank, std::span<std::byte> bytes) {
  CHECK_FALSE(known_[static_cast<std::size_t>(rank)]);
  CHECK(reinterpret_cast<std::uintptr_t>(bytes.data()) % 64 == 0);
  REQUIRE(bytes.size() == packed_size_of(rank));
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) wrong += bytes[i] == byte_of(rank, i) ? 0 : 1;
  CHECK(wrong == 0);
  known(rank) = true;
}
