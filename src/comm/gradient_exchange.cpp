// The tree reduction whose hosts send each other sums of gradients, and then new parameters.
#include <algorithm>
#include <atomic>
#include <utility>

#include "add_vectors.hpp"
#include "mnist_dist/core/sum_tree.hpp"
#include "tree_reduction.hpp"

namespace mnist_dist::comm {
namespace {

/// How many ranks have formed their part of a message, over all steps.
struct alignas(64) Formed {
  std::atomic<std::uint64_t> times;
};

/// Who forms, sums and sends what, between the hosts.
struct Plan {
  std::vector<ParameterRange> ranges;       ///< by host: what it sums and updates
  std::vector<std::vector<TreeNode>> sums;  ///< by host: what its shards leave
  std::vector<std::size_t> outgoing;        ///< by host: where this host's sums over its range begin, in floats
  std::vector<std::size_t> incoming;        ///< by host: where its sums over this host's range begin, likewise
  std::size_t floats = 0;                   ///< of both
  std::vector<ParameterBlock> owned;        ///< by this host's ranks

  [[nodiscard]] const ParameterRange& range_of(int host) const { return ranges[static_cast<std::size_t>(host)]; }
  [[nodiscard]] std::size_t bytes() const {
    return ranges.size() * sizeof(Formed) + whole_lines(floats * sizeof(float));
  }
};

Plan make_plan(const Hosts& hosts, std::size_t shards, const std::vector<ParameterBlock>& blocks) {
  Plan plan{ranges_of_hosts(hosts.ranks, blocks), sums_of_hosts(hosts.ranks, shards), {}, {}, 0, {}};
  const auto mine = static_cast<std::size_t>(hosts.mine);
  const auto take = [&](std::size_t floats) { return std::exchange(plan.floats, plan.floats + floats); };
  for (std::size_t host = 0; host < plan.ranges.size(); ++host) {
    plan.outgoing.push_back(take(host == mine ? 0 : plan.sums[mine].size() * plan.ranges[host].size()));
    plan.incoming.push_back(take(host == mine ? 0 : plan.sums[host].size() * plan.ranges[mine].size()));
  }
  plan.owned = blocks_within(plan.ranges[mine], blocks);
  return plan;
}

class GradientExchange final : public TreeReduction {
 public:
  GradientExchange(const Communicator& ranks, const Communicator& host, Hosts all_hosts, Plan plan, std::size_t shards,
                   const std::vector<ParameterBlock>& blocks)
      : TreeReduction(ranks, host, std::move(all_hosts), plan.owned, blocks.back().range.end,
                      shard_sums_of(shards_of_host(ranks, host, shards), shards, ranks.size()), plan.bytes()),
        plan_(std::move(plan)),
        messages_(ranks, hosts(), messages_of_gradients(hosts().ranks, shards, blocks)),
        formed_(reinterpret_cast<Formed*>(memory().data())),
        sums_(reinterpret_cast<float*>(memory().data() + plan_.ranges.size() * sizeof(Formed))),
        my_host_sums_(shard_sums().size() * my_range().size()) {
    share_out(blocks);
    plan_last_additions(SumTree(shards));
  }

  void exchange(ShardGradients& gradients) override {
    messages_.expect(0, [&](int from) { return bytes_at(sums_ + plan_.incoming[static_cast<std::size_t>(from)]); });
    wait_for_host(Wait::gradients);  // the activations of all ranks of this host are in place
    ++step_;
    const std::span<const HostMessage> to_send = messages_.to_send(0);
    unsent_.assign(to_send.begin(), to_send.end());
    for (const Part& part : parts_) {
      form(part, gradients);
      send_formed();
    }
    for (const ParameterRange& block : my_blocks()) {
      messages_.progress();
      form(block, my_range(), my_host_sums_.data(), gradients);
    }
    wait_for_host(Wait::gradients);  // the other ranks of this host have formed their parts of the messages
    send_formed();
    messages_.wait(Wait::gradients);
    wait_for_host(Wait::gradients);  // what they have received is here, too
  }

  [[nodiscard]] std::span<float> sum(const ParameterRange& block, const ShardGradients& /*gradients*/,
                                     std::span<float> room) override {
    std::vector<const float*> inputs;
    for (const Input& input : last_inputs_) inputs.push_back(input.first + block.begin - input.range.begin);
    add_vectors(last_additions_, inputs, room);
    return room;
  }

  void share_parameters() override {
    float* const shared = shared_parameters().data();
    messages_.expect(1, [&](int from) { return bytes_at(shared + plan_.range_of(from).begin); });
    wait_for_host(Wait::parameters);  // this host's range is updated
    for (const HostMessage& message : messages_.to_send(1)) {
      messages_.send(message, {bytes_at(shared + plan_.range_of(hosts().mine).begin), message.bytes});
    }
    on_their_way_ = true;
  }

  void await_parameters() override {
    if (!on_their_way_) return;
    messages_.wait(Wait::parameters);
    wait_for_host(Wait::parameters);  // what the other ranks of this host have received is here, too
    on_their_way_ = false;
  }

  void all_gather(std::span<const double> of_my_blocks, std::span<double> all) const override {
    ranks().all_gather_parts(of_my_blocks, all);
  }

  void gather(std::span<const float> of_my_range, std::vector<float>& all) const override {
    all.resize(ranks().rank() == 0 ? parameters().size() : 0);
    ranks().gather_parts(of_my_range, std::span(all));
  }

 private:
  /// What this rank forms of the message to a host.
  struct Part {
    int to = 0;
    std::vector<ParameterRange> blocks;
  };
  /// Sums over a range, of which this rank's is a part.
  struct Input {
    const float* first = nullptr;
    ParameterRange range;
  };

  static LeafBlock shards_of_host(const Communicator& ranks, const Communicator& host, std::size_t shards) {
    const int first = ranks.rank() - host.rank();
    return {shards_of_rank(shards, ranks.size(), first).begin,
            shards_of_rank(shards, ranks.size(), first + host.size() - 1).end};
  }
  static std::byte* bytes_at(float* values) { return reinterpret_cast<std::byte*>(values); }

  /// The host's ranks share the messages' blocks, in the order in which messages leave, each a run of equal cost: so
  /// few of them take part in one message, and the first messages leave early.
  void share_out(const std::vector<ParameterBlock>& blocks) {
    std::vector<ParameterBlock> in_order;
    std::vector<int> receivers;
    for (int step = 1; step < hosts().count(); ++step) {
      const int to = (hosts().mine + step) % hosts().count();
      for (const ParameterBlock& block : blocks_within(plan_.range_of(to), blocks)) {
        in_order.push_back(block);
        receivers.push_back(to);
      }
    }
    const BlockOwners shares(in_order, host().size());
    contributors_.resize(plan_.ranges.size());
    std::size_t next = 0;
    for (int rank = 0; rank < host().size(); ++rank) {
      std::vector<Part> parts;
      for (const ParameterRange& block : shares.blocks_of(rank)) {
        const int to = receivers[next++];
        if (parts.empty() || parts.back().to != to) parts.push_back({to, {}});
        parts.back().blocks.push_back(block);
      }
      for (const Part& part : parts) ++contributors_[static_cast<std::size_t>(part.to)];
      if (rank == host().rank()) parts_ = std::move(parts);
    }
  }

  /// All hosts' sums are added left to right, as their shards lie.
  void plan_last_additions(const SumTree& tree) {
    const ParameterRange range = plan_.range_of(hosts().mine);
    std::vector<TreeNode> nodes;
    for (int from = 0; from < hosts().count(); ++from) {
      const bool is_mine = from == hosts().mine;
      const auto index = static_cast<std::size_t>(from);
      const float* next = is_mine ? my_host_sums_.data() : sums_ + plan_.incoming[index];
      for (const TreeNode& node : plan_.sums[index]) {
        nodes.push_back(node);
        last_inputs_.push_back({next, is_mine ? my_range() : range});
        next += last_inputs_.back().range.size();
      }
    }
    last_additions_ = plan_additions(tree, nodes);
  }

  void form(const Part& part, const ShardGradients& gradients) {
    float* const first = sums_ + plan_.outgoing[static_cast<std::size_t>(part.to)];
    for (const ParameterRange& block : part.blocks) form(block, plan_.range_of(part.to), first, gradients);
    formed_[part.to].times.fetch_add(1, std::memory_order_release);
  }

  /// This host's sums over a block, where they belong among those over a range.
  void form(const ParameterRange& block, const ParameterRange& range, float* of_range,
            const ShardGradients& gradients) const {
    for (std::size_t i = 0; i < shard_sums().size(); ++i) {
      gradients.form(block, i, of_range + i * range.size() + block.begin - range.begin);
    }
  }

  /// Sends those messages whose parts all ranks have formed.
  void send_formed() {
    std::erase_if(unsent_, [&](const HostMessage& message) {
      const auto to = static_cast<std::size_t>(message.to);
      if (formed_[to].times.load(std::memory_order_acquire) < step_ * contributors_[to]) return false;
      messages_.send(message, {bytes_at(sums_ + plan_.outgoing[to]), message.bytes});
      return true;
    });
  }

  Plan plan_;
  HostMessages messages_;
  Formed* formed_;                           // by receiving host; in memory()
  float* sums_;                              // in memory(), behind it
  std::vector<Part> parts_;                  // what this rank forms for other hosts, in this order
  std::vector<std::uint64_t> contributors_;  // by receiving host: the ranks that form parts of its message
  std::uint64_t step_ = 0;
  bool on_their_way_ = false;        // parameters
  std::vector<HostMessage> unsent_;  // of this step
  std::vector<float> my_host_sums_;  // over my range
  AdditionPlan last_additions_;      // of all hosts' sums over my range
  std::vector<Input> last_inputs_;
};

}  // namespace

std::unique_ptr<GradientReduction> make_gradient_exchange(const Communicator& ranks, const Communicator& host,
                                                          Hosts hosts, std::size_t shards,
                                                          const std::vector<ParameterBlock>& blocks) {
  Plan plan = make_plan(hosts, shards, blocks);
  return std::make_unique<GradientExchange>(ranks, host, std::move(hosts), std::move(plan), shards, blocks);
}

}  // namespace mnist_dist::comm
