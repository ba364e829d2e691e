// What the ranks of a host see of each other while they wait.
#include <doctest/doctest.h>

#include <functional>

#include "../../src/comm/hang_board.hpp"
#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/comm/gradient_reduction.hpp"

using namespace mnist_dist;
using comm::Communicator;
using comm::HangBoard;
using comm::HostView;
using comm::RankSign;
using comm::Wait;

namespace {

constexpr int kLimit = 4;

/// Collective: all ranks look at the same time, but for one that is stopped. @return this rank's view at the end
HostView look(HangBoard& board, const Communicator& world, int stopped, int looks) {
  HostView view;
  for (int i = 0; i < looks; ++i) {
    if (world.rank() != stopped) view = board.look();
    world.barrier();
  }
  return view;
}

class NoGradients final : public comm::ShardGradients {
 public:
  void form(const ParameterRange& block, std::size_t /*shard_sum*/, float* sum) const override {
    std::fill_n(sum, block.size(), 0.0F);
  }
  [[nodiscard]] std::size_t packed_size() const override { return 0; }
  void pack(std::span<std::byte> /*bytes*/) const override {}
  void take(int /*rank*/, std::span<std::byte> /*bytes*/) override {}
};

}  // namespace

TEST_CASE("a stopped rank is named on its host, however ranks lie on hosts") {
  const Communicator world = Communicator::world();
  const int stopped = world.size() - 1;
  for (const int ranks_of_host : {1, 2, 3, 8}) {
    CAPTURE(ranks_of_host);
    const Communicator host = world.split(world.rank() / ranks_of_host);
    HangBoard board(world, host);
    board.mine().show(world.rank() == stopped ? Wait::none : Wait::gradients);
    HostView view = look(board, world, stopped, kLimit);
    if (world.rank() == stopped) {
      look(board, world, stopped, 1 + 100 * kLimit);
      continue;
    }
    CHECK_FALSE(comm::hang_message(view, kLimit));
    view = look(board, world, stopped, 1);
    const bool on_my_host = world.rank() / ranks_of_host == stopped / ranks_of_host;
    const auto message = comm::hang_message(view, kLimit);
    CHECK(message.has_value() == (on_my_host && host.rank() == 0));
    if (message) CHECK(message->starts_with("rank " + std::to_string(stopped) + " on "));
    CHECK(view.other_hosts.empty() == (host.size() == world.size()));
    view = look(board, world, stopped, 100 * kLimit);
    REQUIRE(comm::hang_message(view, kLimit));
    CHECK(comm::hang_message(view, kLimit)->starts_with(on_my_host ? "rank " : "no rank of "));
  }
}

TEST_CASE("a rank that lives and does not wait is busy") {
  const Communicator world = Communicator::world();
  HangBoard board(world, world.split_by_host());
  const int busy = world.size() - 1;
  board.mine().show(world.rank() == busy ? Wait::none : Wait::sum);
  const int nobody = -1;
  HostView view = look(board, world, nobody, 9 * kLimit);
  CHECK_FALSE(comm::hang_message(view, kLimit));
  view = look(board, world, nobody, kLimit + 1);
  CHECK(comm::hang_message(view, kLimit).has_value() == (world.rank() == 0 && busy != 0));
}

TEST_CASE("a wait that ends and begins again between two looks is another one") {
  RankSign sign{};
  HangBoard board(sign, 0);
  for (int i = 0; i < 10 * kLimit; ++i) {
    sign.show(Wait::gradients);
    CHECK(board.look().waited == 0);
    sign.show(Wait::none);
  }
  sign.show(Wait::gradients);
  board.look();
  CHECK(board.look().waited == 1);
  CHECK(board.look().waited == 2);
}

TEST_CASE("every operation that waits for other ranks shows it") {
  const Communicator world = Communicator::world();
  const Communicator host = world.split_by_host();
  const auto changes_of = [](const std::function<void()>& operation) {
    const std::uint64_t before = comm::my_sign->wait >> 8;
    operation();
    CHECK(RankSign::wait_of(comm::my_sign->wait) == Wait::none);
    return (comm::my_sign->wait >> 8) - before;
  };
  const std::vector<float> values(10);
  std::vector<float> all(values.size() * static_cast<std::size_t>(world.size()));
  std::int64_t number = 1;
  comm::StopAgreement agreement(world);
  const std::vector<comm::ParameterBlock> blocks = {{{0, 10}, 1, 10}};
  const Communicator alone = world.split(world.rank());
  const auto tree = comm::make_tree_reduction(world, host, 8, blocks, {});
  const auto between_hosts = comm::make_tree_reduction(world, alone, 8, blocks, {});
  const auto activations = comm::make_tree_reduction(world, alone, 8, blocks, {comm::ExchangeKind::activations, 0});
  const auto plain = comm::make_mpi_reduction(world, 8, blocks);
  NoGradients gradients;
  const std::vector<std::pair<const char*, std::function<void()>>> operations = {
      {"world", [] { Communicator::world(); }},
      {"split_by_host", [&] { (void)world.split_by_host(); }},
      {"split", [&] { (void)world.split(0); }},
      {"numbered_by_host", [&] { (void)world.numbered_by_host(host); }},
      {"barrier", [&] { world.barrier(); }},
      {"sum", [&] { world.sum(std::span(&number, 1)); }},
      {"all_gather", [&] { (void)world.all_gather(1); }},
      {"broadcast", [&] { world.broadcast(std::span(&number, 1)); }},
      {"all_gather_parts", [&] { world.all_gather_parts(std::span(values), std::span(all)); }},
      {"run_and_agree", [&] { comm::run_and_agree(world, [] {}); }},
      {"after_step", [&] { (void)agreement.after_step(false); }},
      {"settle", [&] { (void)agreement.settle(false); }},
      {"HostMemory", [&] { const comm::HostMemory memory(host, 1); }},
      {"tree: set_parameters", [&] { tree->set_parameters(values); }},
      {"tree: exchange", [&] { tree->exchange(gradients); }},
      {"tree: share_parameters", [&] { tree->share_parameters(); }},
      {"between hosts: set_parameters", [&] { between_hosts->set_parameters(values); }},
      {"MPI: exchange", [&] { plain->exchange(gradients); }},
  };
  for (const auto& [name, operation] : operations) {
    CAPTURE(name);
    CHECK(changes_of(operation) >= 2);
  }
  // The barriers of the host, and messages to other hosts where there are any.
  const bool has_messages = world.size() > 1;
  CHECK(changes_of([&] { between_hosts->exchange(gradients); }) >= (has_messages ? 8 : 2));
  CHECK(changes_of([&] { between_hosts->share_parameters(); }) >= 2);
  CHECK(changes_of([&] { between_hosts->await_parameters(); }) >= (has_messages ? 4 : 0));
  CHECK(changes_of([&] { activations->exchange(gradients); }) >= (has_messages ? 8 : 2));
}

TEST_CASE("the outer of two waits gives the name") {
  const comm::Waiting outer(Wait::failures);
  const std::uint64_t before = comm::my_sign->wait;
  {
    const comm::Waiting inner(Wait::gathering);
    CHECK(RankSign::wait_of(comm::my_sign->wait) == Wait::failures);
    CHECK(comm::my_sign->wait != before);
  }
  CHECK(RankSign::wait_of(comm::my_sign->wait) == Wait::failures);
  CHECK(comm::my_sign->wait != before);
}
