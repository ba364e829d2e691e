#include <doctest/doctest.h>

#include <array>
#include <new>
#include <numeric>
#include <string>
#include <vector>

#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/comm/communicator.hpp"

using namespace mnist_dist;
using comm::Communicator;

TEST_CASE("integers are summed and parts are gathered by rank") {
  const Communicator world = Communicator::world();
  std::array<std::int64_t, 2> values = {world.rank(), 1};
  world.sum(values);
  CHECK(values[0] == world.size() * (world.size() - 1) / 2);
  CHECK(values[1] == world.size());

  // Rank r contributes r + 1 numbers.
  const std::vector<double> part(static_cast<std::size_t>(world.rank() + 1), world.rank());
  std::vector<double> all(static_cast<std::size_t>(world.size() * (world.size() + 1) / 2));
  world.all_gather_parts(std::span<const double>(part), std::span(all));
  std::size_t next = 0;
  for (int rank = 0; rank < world.size(); ++rank) {
    for (int i = 0; i <= rank; ++i) CHECK(all[next++] == rank);
  }
  std::vector<double> at_root(world.rank() == 0 ? all.size() : 0);
  world.gather_parts(std::span<const double>(part), std::span(at_root));
  if (world.rank() == 0) CHECK(at_root == all);
}

TEST_CASE("a text is broadcast from any rank") {
  const Communicator world = Communicator::world();
  const int root = world.size() - 1;
  CHECK(world.broadcast(world.rank() == root ? std::string("from the last") : std::string(), root) == "from the last");
  CHECK(world.broadcast(std::string(), root).empty());
}

TEST_CASE("the failure of one rank becomes the failure of all") {
  const Communicator world = Communicator::world();
  const int culprit = world.size() - 1;
  try {
    comm::run_and_agree(world, [&] {
      if (world.rank() == culprit) throw Error(ExitCode::bad_data, "broken.h5: broken");
    });
    FAIL("no rank failed");
  } catch (const comm::AgreedError& error) {
    CHECK(error.failed_rank() == culprit);
    CHECK(error.exit_code() == ExitCode::bad_data);
    CHECK(std::string(error.what()) == "broken.h5: broken");
  }
  CHECK_NOTHROW(comm::run_and_agree(world, [] {}));
}

TEST_CASE("ranks numbered by host are neighbours on each host, and failures name them as the launcher does") {
  const Communicator world = Communicator::world();
  const Communicator host = world.split(world.rank() % 2);  // dealt to two hosts in turn
  const Communicator ranks = world.numbered_by_host(host);
  CHECK(ranks.size() == world.size());
  const int on_first_host = (world.size() + 1) / 2;
  CHECK(ranks.rank() == (world.rank() % 2 == 0 ? 0 : on_first_host) + world.rank() / 2);
  CHECK((ranks.rank() == 0) == (world.rank() == 0));
  CHECK(ranks.rank_of_launcher(ranks.rank()) == world.rank());
  // From 3 ranks on, the launcher's rank 1 has another number here.
  const int culprit = world.size() > 1 ? 1 : 0;
  try {
    comm::run_and_agree(ranks, [&] {
      if (world.rank() == culprit) throw Error(ExitCode::bad_data, "broken.h5: broken");
    });
    FAIL("no rank failed");
  } catch (const comm::AgreedError& error) {
    CHECK(error.failed_rank() == culprit);
  }
}

TEST_CASE("a rank without memory is a rank that failed") {
  const Communicator world = Communicator::world();
  try {
    comm::run_and_agree(world, [&] {
      if (world.rank() == 0) throw std::bad_alloc();
    });
    FAIL("no rank failed");
  } catch (const comm::AgreedError& error) {
    CHECK(error.exit_code() == ExitCode::rank_failed);
    CHECK(std::string(error.what()).starts_with("out of memory"));
  }
}

TEST_CASE("all ranks stop after the same step when one is asked to") {
  const Communicator world = Communicator::world();
  comm::StopAgreement agreement(world);
  int stopped_after = -1;
  for (int step = 0; step < 100 && stopped_after < 0; ++step) {
    const bool wish = world.rank() == world.size() - 1 && step >= 20;
    if (agreement.after_step(wish)) stopped_after = step;
  }
  CHECK(stopped_after >= 20);
  CHECK(stopped_after < 60);
  for (const int step : world.all_gather(stopped_after)) CHECK(step == stopped_after);
  CHECK_FALSE(comm::StopAgreement(world).settle(false));
  CHECK(comm::StopAgreement(world).settle(world.rank() == 0));
}

TEST_CASE("a wish that is still on its way when an epoch ends is answered there, and only once") {
  const Communicator world = Communicator::world();
  comm::StopAgreement agreement(world);
  const auto answers = [&](bool wish) {
    bool any = false;
    for (int step = 0; step < 40; ++step) any = agreement.after_step(wish) || any;
    return any;
  };
  CHECK_FALSE(agreement.after_step(world.rank() == world.size() - 1));  // asks
  CHECK(agreement.settle(false));
  CHECK_FALSE(agreement.settle(false));
  CHECK_FALSE(answers(false));
  CHECK(answers(world.rank() == 0));
}
