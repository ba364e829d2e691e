#include "host_exchange.hpp"

#include <algorithm>

#include "hang_watch.hpp"
#include "mnist_dist/core/hot_loop.hpp"
#include "mpi_handle.hpp"

namespace mnist_dist::comm {
namespace {

// A block of every intermediate sum stays in the first-level cache until it has been used.
constexpr std::size_t kBlock = 1024;

MNIST_DIST_HOT_LOOP void add(const float* left, const float* right, float* sum, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) sum[i] = left[i] + right[i];
}

/// results[i] = the plan's i-th result, element by element; each addition is one rounded float addition.
/// @param inputs plan.inputs vectors of `size` elements  @param results plan.results.size() vectors of `size`
/// elements, none of which overlaps an input
void add_vectors(const AdditionPlan& plan, std::span<const float* const> inputs, std::size_t size,
                 std::span<float* const> results) {
  thread_local std::vector<float> scratch;
  scratch.resize(plan.additions.size() * kBlock);
  thread_local std::vector<const float*> sums;
  sums.resize(plan.inputs + plan.additions.size());
  for (std::size_t first = 0; first < size; first += kBlock) {
    const std::size_t count = std::min(kBlock, size - first);
    for (std::size_t i = 0; i < plan.inputs; ++i) sums[i] = inputs[i] + first;
    for (std::size_t i = 0; i < plan.additions.size(); ++i) {
      float* sum = scratch.data() + i * kBlock;
      const auto result = std::find(plan.results.begin(), plan.results.end(), plan.inputs + i);
      if (result != plan.results.end()) sum = results[static_cast<std::size_t>(result - plan.results.begin())] + first;
      add(sums[plan.additions[i].left], sums[plan.additions[i].right], sum, count);
      sums[plan.inputs + i] = sum;
    }
    for (std::size_t i = 0; i < plan.results.size(); ++i) {
      if (plan.results[i] < plan.inputs) std::copy_n(sums[plan.results[i]], count, results[i] + first);
    }
  }
}

}  // namespace

HostExchange::HostExchange(const Communicator& ranks, const std::vector<Host>& hosts, std::size_t mine,
                           const SumTree& tree, const BlockOwners& owners)
    : ranks_(ranks), hosts_(hosts), mine_(mine), owners_(owners), range_(owners.range_of(ranks.rank())) {
  if (!is_needed()) return;
  std::size_t outgoing = 0;
  for (const Host& other : hosts_) {
    if (&other == &hosts_[mine_]) continue;
    for (const int owner : other.ranks) {
      if (hosts_[mine_].handler_of(owner) != ranks_.rank()) continue;
      remote_owners_.push_back(owner);
      outgoing_first_.push_back(outgoing);
      outgoing += sums_of_my_host() * owners_.range_of(owner).size();
    }
  }
  outgoing_.resize(outgoing);
  my_host_sums_.resize(sums_of_my_host() * range_.size());
  plan_last_additions(tree);
}

void HostExchange::plan_last_additions(const SumTree& tree) {
  // All hosts' sums over my range, in the order of the shards.
  struct Sum {
    TreeNode node;
    std::size_t host;
  };
  std::vector<Sum> sums;
  for (std::size_t index = 0; index < hosts_.size(); ++index) {
    for (const TreeNode& node : hosts_[index].sums) sums.push_back({node, index});
  }
  std::sort(sums.begin(), sums.end(),
            [](const Sum& a, const Sum& b) { return (a.node.index << a.node.level) < (b.node.index << b.node.level); });
  std::vector<TreeNode> nodes;
  nodes.reserve(sums.size());
  for (const Sum& sum : sums) nodes.push_back(sum.node);
  last_additions_ = plan_additions(tree, nodes);

  // Each other host sends its sums in one message, left to right.
  std::size_t next = 0;
  std::vector<std::size_t> first(hosts_.size());
  for (std::size_t index = 0; index < hosts_.size(); ++index) {
    first[index] = next;
    if (index != mine_) next += hosts_[index].sums.size() * range_.size();
  }
  incoming_.resize(next);
  std::vector<std::size_t> seen(hosts_.size());
  for (const Sum& sum : sums) {
    const std::size_t offset = seen[sum.host]++ * range_.size();
    last_inputs_.push_back(sum.host == mine_ ? my_host_sums_.data() + offset
                                             : incoming_.data() + first[sum.host] + offset);
  }
}

void HostExchange::expect_sums() {
  float* next = incoming_.data();
  for (std::size_t index = 0; index < hosts_.size(); ++index) {
    if (index == mine_) continue;
    const std::size_t count = hosts_[index].sums.size() * range_.size();
    check(MPI_Irecv(next, to_count(count), MPI_FLOAT, hosts_[index].handler_of(ranks_.rank()), ranks_.rank(),
                    ranks_.handle().communicator, &requests_.emplace_back()),
          "MPI_Irecv");
    next += count;
  }
}

std::vector<float*> HostExchange::places(int owner, const ParameterRange& block) {
  const ParameterRange range = owners_.range_of(owner);
  float* first = my_host_sums_.data();
  if (owner != ranks_.rank()) {
    const auto index = std::ranges::find(remote_owners_, owner) - remote_owners_.begin();
    first = outgoing_.data() + outgoing_first_[static_cast<std::size_t>(index)];
  }
  std::vector<float*> places;
  for (std::size_t sum = 0; sum < sums_of_my_host(); ++sum) {
    places.push_back(first + sum * range.size() + (block.begin - range.begin));
  }
  return places;
}

void HostExchange::send_sums(int owner) {
  const ParameterRange range = owners_.range_of(owner);
  const auto index = std::ranges::find(remote_owners_, owner) - remote_owners_.begin();
  check(MPI_Isend(outgoing_.data() + outgoing_first_[static_cast<std::size_t>(index)],
                  to_count(sums_of_my_host() * range.size()), MPI_FLOAT, owner, owner, ranks_.handle().communicator,
                  &requests_.emplace_back()),
        "MPI_Isend");
}

void HostExchange::wait() {
  const Waiting waiting(Wait::gradients);
  check(MPI_Waitall(to_count(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
  requests_.clear();
}

void HostExchange::finish(const ParameterRange& block, float* sum) const {
  std::vector<const float*> inputs(last_inputs_);
  for (const float*& input : inputs) input += block.begin - range_.begin;
  add_vectors(last_additions_, inputs, block.size(), std::span(&sum, 1));
}

void HostExchange::gather(float* parameters) {
  const Waiting waiting(Wait::parameters);
  // Tags: a range's gradients carry its owner's rank, its new parameters the ranks after those.
  const auto tag = [&](int owner) { return ranks_.size() + owner; };
  for (const int owner : remote_owners_) {
    const ParameterRange part = owners_.range_of(owner);
    check(MPI_Irecv(parameters + part.begin, to_count(part.size()), MPI_FLOAT, owner, tag(owner),
                    ranks_.handle().communicator, &requests_.emplace_back()),
          "MPI_Irecv");
  }
  for (const Host& other : hosts_) {
    if (&other == &hosts_[mine_]) continue;
    check(MPI_Isend(parameters + range_.begin, to_count(range_.size()), MPI_FLOAT, other.handler_of(ranks_.rank()),
                    tag(ranks_.rank()), ranks_.handle().communicator, &requests_.emplace_back()),
          "MPI_Isend");
  }
  wait();
}

}  // namespace mnist_dist::comm
