// What hosts send each other, chosen for links and networks that a test machine need not have.
#include <doctest/doctest.h>

#include <numeric>
#include <vector>

#include "../float_comparison.hpp"
#include "../message_of.hpp"
#include "mnist_dist/nn/activations.hpp"
#include "mnist_dist/train/exchange_choice.hpp"

using namespace mnist_dist;
using comm::ExchangeKind;
using train::choose_exchange;

namespace {

constexpr comm::Link kSlow{.latency = 25e-6, .bytes_per_second = 125e6};
constexpr comm::Link kFast{.latency = 2e-6, .bytes_per_second = 50e9};

nn::Network network_of(std::vector<std::size_t> hidden) {
  const std::vector<float> ones(784, 1);
  return nn::Network({.inputs = 784, .hidden = std::move(hidden), .outputs = 10}, nn::standardizing(ones, ones));
}

data::ShardPlan plan_of(const train::Settings& settings) {
  return data::ShardPlan(std::size_t{1} << 40U, settings.batch_size, settings.shards);
}

train::ExchangeChoice choice(const train::Settings& settings, const std::optional<comm::Link>& link,
                             std::vector<std::size_t> hidden = {512}) {
  return choose_exchange({2, 2}, link, settings, network_of(std::move(hidden)), plan_of(settings));
}

}  // namespace

TEST_CASE("over a slow link hosts exchange what is less, over a fast one what computes less") {
  train::Settings settings;
  settings.batch_size = 100;
  const train::ExchangeChoice slow = choice(settings, kSlow);
  // Each of two hosts sends the sums over half of the parameters, and the other half of the parameters.
  CHECK(slow.gradients.bytes == 4 * network_of({512}).padded_size());
  CHECK(slow.activations.bytes < slow.gradients.bytes);
  CHECK(slow.kind == ExchangeKind::activations);
  const train::ExchangeChoice fast = choice(settings, kFast);
  CHECK(fast.kind == ExchangeKind::gradients);
  CHECK(fast.activations.bytes == slow.activations.bytes);
  // Of many rows the gradients are less.
  settings.batch_size = 10000;
  CHECK(choice(settings, kSlow).kind == ExchangeKind::gradients);
}

TEST_CASE("the seed's network on 64 hosts of 64 ranks: no host sends much more than the least") {
  train::Settings settings;
  settings.shards = 4096;
  settings.exchange = "gradients";
  const nn::Network network = network_of({100, 100, 100});
  const train::ExchangeChoice chosen =
      choose_exchange(std::vector<int>(64, 64), std::nullopt, settings, network, plan_of(settings));
  const double least = 2.0 * sizeof(float) * static_cast<double>(network.padded_size()) * 63 / 64;
  CHECK(chosen.gradients.messages <= 130);
  CHECK(static_cast<double>(chosen.gradients.bytes) < 1.1 * least);
}

TEST_CASE("what the settings ask for is exchanged, whatever it takes") {
  train::Settings settings;
  settings.batch_size = 100;
  settings.exchange = "gradients";
  CHECK(choice(settings, {}).kind == ExchangeKind::gradients);
  CHECK(choice(settings, {}).description().starts_with("gradients of "));
  settings.exchange = "activations";
  settings.batch_size = 10000;
  CHECK(choice(settings, {}).kind == ExchangeKind::activations);
}

TEST_CASE("nothing is said where MPI sums the gradients, or on one host") {
  train::Settings settings;
  CHECK(choose_exchange({4}, {}, settings, network_of({512}), plan_of(settings)).description().empty());
  settings.reduction = "mpi";
  CHECK(choice(settings, {}).description().empty());
  CHECK(choice(settings, {}).kind != ExchangeKind::automatic);
}

TEST_CASE("activations make hosts compute as if they were alone") {
  CHECK(train::more_computing(1e12, {4}) == 0);
  const double of_two = train::more_computing(1e12, {1, 1});
  CHECK(of_two > 0);
  // Half of the work; on a host of two ranks each does half of that; the host with the fewest ranks decides.
  CHECK(is_close(train::more_computing(1e12, {2, 2}), of_two / 2, 1e-9));
  CHECK(is_close(train::more_computing(1e12, {3, 1}), of_two * 1.5, 1e-9));
}

TEST_CASE("the expected messages of activations: all rows'") {
  train::Settings settings;
  settings.batch_size = 100;
  const nn::Network network = network_of({512});
  const std::vector<comm::HostMessage> activations =
      train::expected_activations({1, 3}, settings, network, plan_of(settings));
  REQUIRE(activations.size() == 2);
  // 8 shards of 12 or 13 rows, two a rank.
  CHECK(activations[0].bytes < activations[1].bytes);
  CHECK(activations[1].bytes < 4 * activations[0].bytes);
  const std::size_t a_row =
      nn::Activations::packed_size(network.architecture(), 100, 8, network.expected_entries(100)) / 100;
  const double all = static_cast<double>(activations[0].bytes + activations[1].bytes);
  CHECK(all > 95 * static_cast<double>(a_row));
  CHECK(all < 105 * static_cast<double>(a_row));
}

TEST_CASE("messages that MPI cannot count: the other way, or a usage error") {
  train::Settings settings;
  settings.batch_size = std::size_t{1} << 24U;
  CHECK(choice(settings, comm::Link{.latency = 0, .bytes_per_second = 1e30}).kind == ExchangeKind::gradients);
  settings.exchange = "activations";
  CHECK(message_of(ExitCode::usage, [&] { (void)choice(settings, {}); }) ==
        "hosts that exchange activations would send messages of more than 2 GB, which MPI cannot count: give "
        "--exchange gradients or a smaller --batch-size");
  // A link that would have the activations sent, were they not too many.
  settings.exchange = "auto";
  settings.batch_size = std::size_t{1} << 21U;
  CHECK(choice(settings, kSlow, {1, 32768, 1}).kind == ExchangeKind::gradients);
}
