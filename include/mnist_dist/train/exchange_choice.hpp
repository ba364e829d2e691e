// Whether hosts exchange gradients or activations (comm/gradient_reduction.hpp): what each of them takes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/comm/exchange_schedule.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/train/settings.hpp"
#include "mnist_dist/train/training_data.hpp"

namespace mnist_dist::train {

/// The most that a rank's activations take in a message. Local. @param ranks of the job
[[nodiscard]] std::size_t most_packed(const Settings& settings, const nn::Architecture& architecture,
                                      const data::ShardPlan& plan, int ranks);

/// The messages of a whole step that sends activations, as they are to be expected. Local. @param ranks_of_hosts by
/// host
[[nodiscard]] std::vector<comm::HostMessage> expected_activations(const std::vector<int>& ranks_of_hosts,
                                                                  const Settings& settings, const nn::Network& network,
                                                                  const data::ShardPlan& plan);

struct ExchangeChoice {
  comm::ExchangeKind kind = comm::ExchangeKind::gradients;  ///< what the settings ask for, or what takes less time
  comm::HostTraffic gradients;
  comm::HostTraffic activations;
  std::size_t packed = 0;          ///< what a rank's activations take, about
  std::optional<comm::Link> link;  ///< where it had to be measured

  /// For people; "" on a single host, and where MPI sums the gradients.
  [[nodiscard]] std::string description() const;
};

/// Seconds by which a step with activations computes longer: every host forms the gradients of all rows, and updates
/// all parameters, where hosts that exchange gradients share both. @param work in the units of nn::Network::cost, of a
/// step
[[nodiscard]] double more_computing(double work, const std::vector<int>& ranks_of_hosts);

/// Local. @param link between hosts, where the settings leave the choice  @throws Error (usage) when MPI cannot count
/// the bytes of a message
[[nodiscard]] ExchangeChoice choose_exchange(const std::vector<int>& ranks_of_hosts,
                                             const std::optional<comm::Link>& link, const Settings& settings,
                                             const nn::Network& network, const data::ShardPlan& plan);

/// Collective, the same at all ranks: measures the link where that matters. @param host the ranks that share this
/// rank's memory  @throws AgreedError (usage) likewise
[[nodiscard]] ExchangeChoice choose_exchange(const comm::Communicator& ranks, const comm::Communicator& host,
                                             const Settings& settings, const nn::Network& network,
                                             const TrainingData& data);

}  // namespace mnist_dist::train
