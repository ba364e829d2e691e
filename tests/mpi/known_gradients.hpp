// Gradients of which the sums over the shards are known, by the tree's definition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/comm/gradient_reduction.hpp"

inline constexpr std::size_t kParameters = 5003;
inline constexpr std::size_t kMostPacked = 5000;

/// The gradient of a shard in a step: values of very different sizes, so that every order of addition rounds
/// otherwise.
std::vector<float> gradient_of(std::size_t shard, std::uint32_t step);

std::vector<float> sum(std::vector<float> left, const std::vector<float>& right);

/// The tree's definition, by recursion from the root.
std::vector<float> tree_sum(std::size_t first, std::size_t width, std::size_t shards, std::uint32_t step);

/// The gradients of a step. Each rank knows those of all shards, but forms only those of its own and of which it has
/// got the activations: here, bytes that tell rank and step.
class KnownGradients final : public mnist_dist::comm::ShardGradients {
 public:
  KnownGradients(const mnist_dist::comm::Communicator& ranks, const mnist_dist::comm::Communicator& host,
                 const mnist_dist::comm::GradientReduction& reduction, std::uint32_t step);
  void form(const mnist_dist::ParameterRange& block, std::size_t shard_sum, float* to) const override;
  [[nodiscard]] std::size_t packed_size() const override { return packed_size_of(rank_); }
  void pack(std::span<std::byte> bytes) const override;
  void take(int rank, std::span<std::byte> bytes) override;

 private:
  std::vector<bool>::reference known(int rank) { return known_[static_cast<std::size_t>(rank)]; }
  /// Of the largest size at some ranks, and none at all at others.
  [[nodiscard]] std::size_t packed_size_of(int rank) const {
    return (static_cast<std::size_t>(rank) + step_) % 3 * (kMostPacked / 2);
  }
  [[nodiscard]] std::byte byte_of(int rank, std::size_t i) const {
    return static_cast<std::byte>((static_cast<std::size_t>(rank) * 7 + i * 3 + step_ * 11) & 0xffU);
  }

  int rank_;
  std::uint32_t step_;
  const mnist_dist::comm::GradientReduction& reduction_;
  std::vector<bool> known_;  // by rank
  std::vector<std::vector<float>> sums_;
};
