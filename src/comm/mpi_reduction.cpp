// The plain allreduce, as the yardstick.
#include <algorithm>

#include "block_owners.hpp"
#include "hang_watch.hpp"
#include "mnist_dist/comm/gradient_reduction.hpp"
#include "mnist_dist/core/sum_tree.hpp"
#include "mpi_handle.hpp"

namespace mnist_dist::comm {
namespace {

class MpiReduction : public GradientReduction {
 public:
  MpiReduction(const Communicator& ranks, std::size_t shards, const std::vector<ParameterBlock>& blocks)
      : ranks_(ranks), blocks_(blocks, 1), parameters_(blocks_.parameter_count()), gradient_(parameters_.size()) {
    // One after the other.
    const ShardBlock mine = shards_of_rank(shards, ranks.size(), ranks.rank());
    for (std::size_t shard = mine.begin; shard < mine.end; ++shard) {
      shard_sum_.shards.push_back({shard, ranks.rank()});
      shard_sum_.merges.push_back(shard == mine.begin ? 0 : 1);
    }
  }

  [[nodiscard]] std::span<const float> parameters() const override { return parameters_; }
  [[nodiscard]] std::span<const ParameterRange> my_blocks() const override { return blocks_.all(); }
  [[nodiscard]] ParameterRange my_range() const override { return {0, parameters_.size()}; }
  [[nodiscard]] std::span<const ShardSum> shard_sums() const override { return {&shard_sum_, 1}; }

  void set_parameters(std::span<const float> values) override { parameters_.assign(values.begin(), values.end()); }

  void exchange(ShardGradients& gradients) override {
    for (const ParameterRange& block : blocks_.all()) gradients.form(block, 0, gradient_.data() + block.begin);
    const Waiting waiting(Wait::gradients);
    check(MPI_Allreduce(MPI_IN_PLACE, gradient_.data(), to_count(gradient_.size()), MPI_FLOAT, MPI_SUM,
                        ranks_.handle().communicator),
          "MPI_Allreduce");
  }

  [[nodiscard]] std::span<float> sum(const ParameterRange& block, const ShardGradients& /*gradients*/,
                                     std::span<float> /*room*/) override {
    return block.of(std::span(gradient_));
  }
  [[nodiscard]] std::span<float> to_update(const ParameterRange& block) override {
    return block.of(std::span(parameters_));
  }
  void updated(const ParameterRange& /*block*/) override {}
  void share_parameters() override {}
  void await_parameters() override {}

  void all_gather(std::span<const double> of_my_blocks, std::span<double> all) const override {
    std::ranges::copy(of_my_blocks, all.begin());
  }

  void gather(std::span<const float> of_my_range, std::vector<float>& all) const override {
    if (ranks_.rank() == 0) all.assign(of_my_range.begin(), of_my_range.end());
  }

 private:
  const Communicator& ranks_;
  BlockOwners blocks_;
  std::vector<float> parameters_;
  std::vector<float> gradient_;
  ShardSum shard_sum_;
};

}  // namespace

std::unique_ptr<GradientReduction> make_mpi_reduction(const Communicator& ranks, std::size_t shards,
                                                      const std::vector<ParameterBlock>& blocks) {
  return std::make_unique<MpiReduction>(ranks, shards, blocks);
}

}  // namespace mnist_dist::comm
