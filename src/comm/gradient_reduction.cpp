#include "mnist_dist/comm/gradient_reduction.hpp"

#include <sched.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <vector>

#include "host_barrier.hpp"
#include "host_memory.hpp"
#include "hosts.hpp"
#include "mnist_dist/core/shard_tree.hpp"
#include "mpi_handle.hpp"
#include "vector_sums.hpp"

namespace mnist_dist::comm {
namespace {

// Ranges and vectors begin at a cache line, so that no two ranks write to the same one.
constexpr std::size_t kFloatsPerLine = 16;
// The parameters follow the barrier in the segment of the host's first rank.
constexpr std::size_t kBarrierBytes = 4096;
static_assert(sizeof(HostBarrier::State) <= kBarrierBytes);

// Sums of so many parameters stay in the first-level cache until the optimiser has used them.
constexpr std::size_t kUpdateBlock = 1024;

std::size_t round_up_to_line(std::size_t floats) {
  return (floats + kFloatsPerLine - 1) / kFloatsPerLine * kFloatsPerLine;
}

ParameterRange range_of_rank(std::size_t parameter_count, int ranks, int rank) {
  const auto boundary = [&](int index) {
    const std::size_t even = parameter_count * static_cast<std::size_t>(index) / static_cast<std::size_t>(ranks);
    return index == ranks ? parameter_count : even / kFloatsPerLine * kFloatsPerLine;
  };
  return {boundary(rank), boundary(rank + 1)};
}

/// Whether the processors that the host's ranks may use are at least as many as the ranks.
bool each_rank_has_a_core(const Communicator& host) {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  if (sched_getaffinity(0, sizeof mine, &mine) != 0) return false;
  std::vector<std::int64_t> usable(CPU_SETSIZE);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) usable[static_cast<std::size_t>(cpu)] = CPU_ISSET(cpu, &mine) ? 1 : 0;
  host.sum(usable);
  return std::count_if(usable.begin(), usable.end(), [](std::int64_t n) { return n > 0; }) >= host.size();
}

}  // namespace

struct GradientReduction::State {
  State(const Communicator& all_ranks, const Communicator& host_ranks, std::size_t shard_count, std::size_t count);

  void allocate();
  void plan_my_range();
  void sum_on_host(ParameterRange range, std::span<float* const> results) const;
  void send_sums_of_host();
  void receive_sums_of_other_hosts();
  void wait_for_messages();
  void gather_parameters();

  const Communicator& ranks;
  const Communicator& host;
  ShardTree tree;
  std::size_t shards;
  std::size_t parameter_count;
  std::size_t vector_stride;  // floats from one slot to the next
  ParameterRange range;

  std::vector<Host> hosts;
  std::size_t my_host = 0;  // in hosts

  std::unique_ptr<HostMemory> memory;
  std::unique_ptr<HostBarrier> barrier;
  float* parameters = nullptr;
  std::vector<const float*> host_sums;  // the inputs of hosts[my_host].additions, over all parameters

  MicrobatchTree my_tree;                  // of this rank's shards
  std::vector<float*> my_gradients;        // where their sums lie
  std::vector<std::size_t> remote_owners;  // the ranks of other hosts whose range this rank handles
  std::vector<float> outgoing;             // my host's sums over their ranges
  std::vector<float> incoming;             // the other hosts' sums over my range
  std::vector<float> my_host_sums;         // over my range, when there are other hosts
  std::vector<float*> my_host_results;     // where each of them lies
  AdditionPlan last_additions;             // of all hosts' sums over my range; on a single host, of all ranks'
  std::vector<const float*> last_inputs;   // each at the beginning of my range
  std::vector<MPI_Request> requests;
};

GradientReduction::State::State(const Communicator& all_ranks, const Communicator& host_ranks, std::size_t shard_count,
                                std::size_t count)
    : ranks(all_ranks),
      host(host_ranks),
      tree(shard_count),
      shards(shard_count),
      parameter_count(count),
      vector_stride(round_up_to_line(count)),
      range(range_of_rank(count, all_ranks.size(), all_ranks.rank())),
      hosts(learn_hosts(all_ranks, host_ranks, shard_count)),
      my_tree(microbatch_tree(tree, shards_of_rank(shard_count, all_ranks.size(), all_ranks.rank()))) {
  while (!hosts[my_host].has(ranks.rank())) ++my_host;
  allocate();
  plan_my_range();
}

void GradientReduction::State::allocate() {
  const std::size_t head = host.rank() == 0 ? kBarrierBytes + vector_stride * sizeof(float) : 0;
  memory = std::make_unique<HostMemory>(host, head + my_tree.results * vector_stride * sizeof(float));
  std::byte* shared = memory->segment(0);
  if (host.rank() == 0) std::memset(shared, 0, kBarrierBytes);
  host.barrier();
  barrier = std::make_unique<HostBarrier>(reinterpret_cast<HostBarrier::State*>(shared), host.size(),
                                          each_rank_has_a_core(host));
  parameters = reinterpret_cast<float*>(shared + kBarrierBytes);
  for (int rank = 0; rank < host.size(); ++rank) {
    float* first = rank == 0 ? parameters + vector_stride : reinterpret_cast<float*>(memory->segment(rank));
    const int world_rank = hosts[my_host].ranks[static_cast<std::size_t>(rank)];
    const std::size_t nodes = tree.nodes_of(shards_of_rank(shards, ranks.size(), world_rank)).size();
    for (std::size_t node = 0; node < nodes; ++node) {
      host_sums.push_back(first + node * vector_stride);
      if (rank == host.rank()) my_gradients.push_back(first + node * vector_stride);
    }
  }
}

void GradientReduction::State::plan_my_range() {
  if (hosts.size() == 1) {
    last_additions = hosts.front().additions;
    for (const float* sum : host_sums) last_inputs.push_back(sum + range.begin);
    return;
  }
  // All hosts' sums over my range, in the order of the shards.
  struct Sum {
    TreeNode node;
    std::size_t host;
  };
  std::vector<Sum> sums;
  for (std::size_t index = 0; index < hosts.size(); ++index) {
    for (const TreeNode& node : hosts[index].sums()) sums.push_back({node, index});
  }
  std::sort(sums.begin(), sums.end(),
            [](const Sum& a, const Sum& b) { return (a.node.index << a.node.level) < (b.node.index << b.node.level); });
  std::vector<TreeNode> nodes;
  nodes.reserve(sums.size());
  for (const Sum& sum : sums) nodes.push_back(sum.node);
  last_additions = plan_additions(tree, nodes);

  // Each other host sends its sums in one message, left to right.
  std::size_t next_incoming = 0;
  std::vector<std::size_t> incoming_start(hosts.size());
  for (std::size_t index = 0; index < hosts.size(); ++index) {
    incoming_start[index] = next_incoming;
    if (index != my_host) next_incoming += hosts[index].sums().size() * range.size();
  }
  incoming.resize(next_incoming);
  my_host_sums.resize(hosts[my_host].sums().size() * range.size());
  for (std::size_t i = 0; i < hosts[my_host].sums().size(); ++i) {
    my_host_results.push_back(my_host_sums.data() + i * range.size());
  }
  std::vector<std::size_t> seen(hosts.size());
  for (const Sum& sum : sums) {
    const std::size_t offset = seen[sum.host]++ * range.size();
    last_inputs.push_back(sum.host == my_host ? my_host_sums.data() + offset
                                              : incoming.data() + incoming_start[sum.host] + offset);
  }

  std::size_t outgoing_size = 0;
  for (const Host& other : hosts) {
    if (&other == &hosts[my_host]) continue;
    for (const int owner : other.ranks) {
      if (hosts[my_host].handler_of(owner) != ranks.rank()) continue;
      remote_owners.push_back(static_cast<std::size_t>(owner));
      outgoing_size += hosts[my_host].sums().size() * range_of_rank(parameter_count, ranks.size(), owner).size();
    }
  }
  outgoing.resize(outgoing_size);
}

void GradientReduction::State::sum_on_host(ParameterRange part, std::span<float* const> results) const {
  std::vector<const float*> inputs(host_sums);
  for (const float*& input : inputs) input += part.begin;
  add_vectors(hosts[my_host].additions, inputs, part.size(), results);
}

void GradientReduction::State::receive_sums_of_other_hosts() {
  float* next = incoming.data();
  for (std::size_t index = 0; index < hosts.size(); ++index) {
    if (index == my_host) continue;
    const std::size_t count = hosts[index].sums().size() * range.size();
    check(MPI_Irecv(next, to_count(count), MPI_FLOAT, hosts[index].handler_of(ranks.rank()), ranks.rank(),
                    ranks.handle().communicator, &requests.emplace_back()),
          "MPI_Irecv");
    next += count;
  }
}

void GradientReduction::State::send_sums_of_host() {
  float* next = outgoing.data();
  for (const std::size_t owner : remote_owners) {
    const ParameterRange part = range_of_rank(parameter_count, ranks.size(), static_cast<int>(owner));
    std::vector<float*> results;
    float* message = next;
    for (std::size_t i = 0; i < hosts[my_host].sums().size(); ++i, next += part.size()) results.push_back(next);
    sum_on_host(part, results);
    check(MPI_Isend(message, to_count(static_cast<std::size_t>(next - message)), MPI_FLOAT, static_cast<int>(owner),
                    static_cast<int>(owner), ranks.handle().communicator, &requests.emplace_back()),
          "MPI_Isend");
  }
}

void GradientReduction::State::wait_for_messages() {
  check(MPI_Waitall(to_count(requests.size()), requests.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
  requests.clear();
}

GradientReduction::GradientReduction(const Communicator& ranks, const Communicator& host, std::size_t shards,
                                     std::size_t parameter_count) {
  if (static_cast<std::size_t>(ranks.size()) > shards) {
    throw Error(ExitCode::bug, fmt::format("{} ranks for {} shards", ranks.size(), shards));
  }
  state_ = std::make_unique<State>(ranks, host, shards, parameter_count);
}

GradientReduction::~GradientReduction() = default;

std::span<const float> GradientReduction::parameters() const {
  return {state_->parameters, state_->parameter_count};
}

ParameterRange GradientReduction::my_range() const {
  return state_->range;
}

void GradientReduction::set_parameters(std::span<const float> values) {
  state_->barrier->wait();
  std::ranges::copy(my_range().of(values), state_->parameters + my_range().begin);
  state_->gather_parameters();
}

std::span<const std::uint8_t> GradientReduction::merges() const {
  return state_->my_tree.merges;
}

std::span<float* const> GradientReduction::gradients() {
  return state_->my_gradients;
}

void GradientReduction::reduce_and_update(const Update& update) {
  State& s = *state_;
  s.receive_sums_of_other_hosts();
  s.barrier->wait();
  if (s.hosts.size() > 1) {
    s.send_sums_of_host();
    s.sum_on_host(s.range, s.my_host_results);
    s.wait_for_messages();
  }
  std::array<float, kUpdateBlock> gradient;
  float* const result = gradient.data();
  std::vector<const float*> inputs(s.last_inputs);
  for (ParameterRange block{s.range.begin, 0}; block.begin < s.range.end; block.begin = block.end) {
    block.end = std::min(block.begin + kUpdateBlock, s.range.end);
    add_vectors(s.last_additions, inputs, block.size(), std::span(&result, 1));
    update(block, std::span(gradient).first(block.size()), block.of(std::span(s.parameters, s.parameter_count)));
    for (const float*& input : inputs) input += block.size();
  }
  s.gather_parameters();
}

void GradientReduction::State::gather_parameters() {
  // Tags: a range's gradients carry its owner's rank, its new parameters the ranks after those.
  const auto tag = [&](int owner) { return ranks.size() + owner; };
  for (const std::size_t remote : remote_owners) {
    const auto owner = static_cast<int>(remote);
    const ParameterRange part = range_of_rank(parameter_count, ranks.size(), owner);
    check(MPI_Irecv(parameters + part.begin, to_count(part.size()), MPI_FLOAT, owner, tag(owner),
                    ranks.handle().communicator, &requests.emplace_back()),
          "MPI_Irecv");
  }
  for (const Host& other : hosts) {
    if (&other == &hosts[my_host]) continue;
    check(MPI_Isend(parameters + range.begin, to_count(range.size()), MPI_FLOAT, other.handler_of(ranks.rank()),
                    tag(ranks.rank()), ranks.handle().communicator, &requests.emplace_back()),
          "MPI_Isend");
  }
  wait_for_messages();
  barrier->wait();
}

}  // namespace mnist_dist::comm
