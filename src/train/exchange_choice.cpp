#include "mnist_dist/train/exchange_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/sum_tree.hpp"
#include "mnist_dist/nn/activations.hpp"
#include "mnist_dist/train/trainer.hpp"

namespace mnist_dist::train {
namespace {

// A core's rate, in the units of nn::Network::cost: 6e10 was measured with AVX-512, shorter vectors have less. To
// choose by, that is near enough.
constexpr double kWorkPerSecond = 4e10;

/// What is left of a link that costs nothing: bytes and messages.
constexpr comm::Link kNoLink{.latency = 0, .bytes_per_second = std::numeric_limits<double>::infinity()};

/// What a rank's activations take in a message, as is to be expected.
std::size_t expected_packed(int rank, int ranks, const Settings& settings, const nn::Network& network,
                            const data::ShardPlan& plan) {
  const ShardBlock shards = shards_of_rank(settings.shards, ranks, rank);
  std::size_t rows = 0;
  for (std::size_t shard = shards.begin; shard < shards.end; ++shard) rows += plan.microbatch(shard, 0).size();
  return nn::Activations::packed_size(network.architecture(), rows, shards.size(), network.expected_entries(rows));
}

[[noreturn]] void refuse_messages(comm::ExchangeKind kind) {
  const bool activations = kind == comm::ExchangeKind::activations;
  throw Error(ExitCode::usage,
              fmt::format("hosts that exchange {} would send messages of more than 2 GB, which MPI cannot count: give "
                          "--exchange {} or a smaller {}",
                          name_of(comm::kExchanges, kind), activations ? "gradients" : "activations",
                          activations ? "--batch-size" : "--hidden"));
}

std::string kilobytes(std::size_t bytes) {
  return fmt::format("{:.0f} KB", static_cast<double>(bytes) * 1e-3);
}

}  // namespace

std::size_t most_packed(const Settings& settings, const nn::Architecture& architecture, const data::ShardPlan& plan,
                        int ranks) {
  const std::size_t shards = shards_of_rank(settings.shards, ranks, ranks - 1).size();
  const std::size_t rows = shards * plan.largest_microbatch();
  return nn::Activations::packed_size(architecture, rows, shards,
                                      rows * nn::PixelLists::groups_of(architecture.inputs));
}

std::vector<comm::HostMessage> expected_activations(const std::vector<int>& ranks_of_hosts, const Settings& settings,
                                                    const nn::Network& network, const data::ShardPlan& plan) {
  const int ranks = std::accumulate(ranks_of_hosts.begin(), ranks_of_hosts.end(), 0);
  std::vector<std::size_t> bytes;
  int rank = 0;
  for (const int of_host : ranks_of_hosts) {
    const int end = rank + of_host;
    for (bytes.push_back(0); rank < end; ++rank) {
      bytes.back() += expected_packed(rank, ranks, settings, network, plan);
    }
  }
  return comm::messages_of_activations(bytes);
}

double more_computing(double work, const std::vector<int>& ranks_of_hosts) {
  const int ranks = std::accumulate(ranks_of_hosts.begin(), ranks_of_hosts.end(), 0);
  const int fewest = *std::ranges::min_element(ranks_of_hosts);
  return work * (1.0 / fewest - 1.0 / ranks) / kWorkPerSecond;
}

std::string ExchangeChoice::description() const {
  if (gradients.phases == 0) return {};
  const bool sends_activations = kind == comm::ExchangeKind::activations;
  const comm::HostTraffic& chosen = sends_activations ? activations : gradients;
  const comm::HostTraffic& other = sends_activations ? gradients : activations;
  std::string text =
      fmt::format("{} of {} a host and step ({}: {})", name_of(comm::kExchanges, kind), kilobytes(chosen.bytes),
                  sends_activations ? "gradients" : "activations", kilobytes(other.bytes));
  if (link) {
    text += fmt::format(", link {:.0f} MB/s, {:.0f} us", link->bytes_per_second * 1e-6, link->latency * 1e6);
  }
  return text;
}

ExchangeChoice choose_exchange(const std::vector<int>& ranks_of_hosts, const std::optional<comm::Link>& link,
                               const Settings& settings, const nn::Network& network, const data::ShardPlan& plan) {
  using comm::ExchangeKind;
  const int ranks = std::accumulate(ranks_of_hosts.begin(), ranks_of_hosts.end(), 0);
  ExchangeChoice exchange;
  exchange.kind = exchange_of(settings);
  exchange.link = link;
  if (ranks_of_hosts.size() == 1) return exchange;
  exchange.packed = expected_packed(ranks - 1, ranks, settings, network, plan);
  const bool chooses = exchange.kind == ExchangeKind::automatic;
  if (chooses) exchange.kind = ExchangeKind::gradients;
  if (reduction_of(settings) == comm::ReductionKind::mpi) return exchange;

  const std::vector<comm::ParameterBlock> blocks = blocks_with_costs(network, plan, settings.shards);
  const std::vector<comm::HostMessage> gradients = comm::messages_of_gradients(ranks_of_hosts, settings.shards, blocks);
  exchange.gradients = comm::traffic_of(gradients, link.value_or(kNoLink));
  exchange.activations =
      comm::traffic_of(expected_activations(ranks_of_hosts, settings, network, plan), link.value_or(kNoLink));
  const bool gradients_fit = comm::can_be_sent(gradients);
  const bool activations_fit = comm::can_be_sent(comm::messages_of_activations(
      comm::most_activations(ranks_of_hosts, most_packed(settings, network.architecture(), plan, ranks))));
  if (chooses) {
    double work = 0;
    for (const comm::ParameterBlock& block : blocks) work += block.cost;
    exchange.activations.seconds += more_computing(work, ranks_of_hosts);
    const bool quicker = exchange.activations.seconds < exchange.gradients.seconds;
    if (activations_fit && (quicker || !gradients_fit)) exchange.kind = ExchangeKind::activations;
  }
  const bool sends_activations = exchange.kind == ExchangeKind::activations;
  if (!(sends_activations ? activations_fit : gradients_fit)) refuse_messages(exchange.kind);
  return exchange;
}

ExchangeChoice choose_exchange(const comm::Communicator& ranks, const comm::Communicator& host,
                               const Settings& settings, const nn::Network& network, const TrainingData& data) {
  const std::vector<int> ranks_of_hosts = comm::ranks_of_hosts(ranks, host);
  std::optional<comm::Link> link;
  if (ranks_of_hosts.size() > 1 && exchange_of(settings) == comm::ExchangeKind::automatic &&
      reduction_of(settings) == comm::ReductionKind::tree) {
    link = comm::measure_link(ranks, host);
  }
  ExchangeChoice exchange;
  comm::run_and_agree(ranks, [&] { exchange = choose_exchange(ranks_of_hosts, link, settings, network, data.plan); });
  return exchange;
}

}  // namespace mnist_dist::train
