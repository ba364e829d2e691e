// The plain allreduce, as the yardstick.
#include <numeric>

#include "block_owners.hpp"
#include "mnist_dist/comm/gradient_reduction.hpp"
#include "mnist_dist/core/shards.hpp"
#include "mpi_handle.hpp"

namespace mnist_dist::comm {
namespace {

class MpiReduction : public GradientReduction {
 public:
  MpiReduction(const Communicator& ranks, int host_rank, std::size_t shards, const std::vector<ParameterBlock>& blocks)
      : ranks_(ranks),
        host_rank_(host_rank),
        blocks_(blocks, 1),
        parameters_(blocks_.parameter_count()),
        gradient_(parameters_.size()) {
    const ShardBlock mine = shards_of_rank(shards, ranks.size(), ranks.rank());
    for (std::size_t shard = mine.begin; shard < mine.end; ++shard) {
      const std::uint8_t merges = shard == mine.begin ? 0 : 1;
      summed_shards_.push_back({shard, host_rank, merges});
    }
  }

  [[nodiscard]] std::span<const float> parameters() const override { return parameters_; }
  [[nodiscard]] ParameterRange my_range() const override { return {0, parameters_.size()}; }
  [[nodiscard]] Team team() const override { return {.first_host_rank = static_cast<std::size_t>(host_rank_)}; }
  void wait_for_team() override {}
  [[nodiscard]] std::span<const SummedShard> summed_shards() const override { return summed_shards_; }

  void set_parameters(std::span<const float> values) override { parameters_.assign(values.begin(), values.end()); }

  void reduce_and_update(const Gradient& gradient, const Update& update, const BeforeUpdate& before_update) override {
    for (const ParameterRange& block : blocks_.all()) {
      float* const sum = gradient_.data() + block.begin;
      gradient(block, std::span(&sum, 1));
    }
    check(MPI_Allreduce(MPI_IN_PLACE, gradient_.data(), to_count(gradient_.size()), MPI_FLOAT, MPI_SUM,
                        ranks_.handle().communicator),
          "MPI_Allreduce");
    if (before_update) before_update(blocks_.all(), gradient_);
    for (const ParameterRange& block : blocks_.all()) {
      update(block, block.of(std::span(gradient_)), block.of(std::span(parameters_)));
    }
  }

  [[nodiscard]] std::vector<float> gather(std::span<const float> of_my_range) const override {
    if (ranks_.rank() != 0) return {};
    return {of_my_range.begin(), of_my_range.end()};
  }

 private:
  const Communicator& ranks_;
  int host_rank_;
  BlockOwners blocks_;
  std::vector<float> parameters_;
  std::vector<float> gradient_;
  std::vector<SummedShard> summed_shards_;
};

}  // namespace

std::unique_ptr<GradientReduction> make_mpi_reduction(const Communicator& ranks, const Communicator& host,
                                                      std::size_t shards, const std::vector<ParameterBlock>& blocks) {
  return std::make_unique<MpiReduction>(ranks, host.rank(), shards, blocks);
}

}  // namespace mnist_dist::comm
