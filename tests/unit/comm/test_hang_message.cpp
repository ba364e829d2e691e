// When a rank that waits loses its patience, and what it says then.
#include <doctest/doctest.h>

#include "../../../src/comm/hang_board.hpp"

using namespace mnist_dist;
using comm::hang_message;
using comm::HostView;
using comm::Wait;

namespace {

constexpr int kLimit = 60 * comm::kLooksPerSecond;
constexpr int kAges = 1000 * kLimit;

/// Rank 0 of four on node7, which waits for gradients as all do.
HostView all_wait(int waited) {
  HostView view{.name = "node7", .ranks = {}, .waited = waited, .complete = true, .other_hosts = {}};
  for (int rank = 0; rank < 4; ++rank) view.ranks.push_back({.rank = rank, .wait = Wait::gradients});
  return view;
}

/// Rank 1 has been stopped while it computed.
HostView one_is_stopped(int waited) {
  HostView view = all_wait(waited);
  view.ranks[1] = {.rank = 1, .wait = Wait::none, .silent = kLimit};
  return view;
}

/// Rank 1 computes.
HostView one_is_busy(int waited) {
  HostView view = all_wait(waited);
  view.ranks[1].wait = Wait::none;
  return view;
}

/// The first number of looks after which this rank speaks.
int patience(HostView view) {
  for (view.waited = 0; view.waited < kAges; ++view.waited) {
    if (hang_message(view, kLimit)) return view.waited;
  }
  return kAges;
}

}  // namespace

TEST_CASE("a stopped rank ends the job after the limit, a busy one after ten times the limit") {
  CHECK(patience(one_is_stopped(0)) == kLimit);
  CHECK(patience(one_is_busy(0)) == 10 * kLimit);
  HostView stopped_in_a_wait = one_is_stopped(0);
  stopped_in_a_wait.ranks[1].wait = Wait::parameters;
  CHECK(patience(stopped_in_a_wait) == kLimit);
  HostView silent_for_less = one_is_stopped(0);
  silent_for_less.ranks[1].silent = kLimit - 1;
  CHECK(patience(silent_for_less) == 10 * kLimit);
}

TEST_CASE("where the program was asked to stop long ago, a busy rank has no more time than a stopped one") {
  for (HostView view : {one_is_busy(0), one_is_stopped(0)}) {
    view.asked_to_stop = 2 * kLimit;
    CHECK(patience(view) == kLimit);
  }
  HostView just_asked = one_is_busy(0);
  just_asked.asked_to_stop = kLimit;
  CHECK(patience(just_asked) == 10 * kLimit);
}

TEST_CASE("a rank that does not wait ends nothing") {
  HostView view = one_is_stopped(0);
  view.ranks[0].wait = Wait::none;
  CHECK(patience(view) == kAges);
}

TEST_CASE("the first rank that waits speaks, and the host where somebody is missing before others") {
  HostView view = one_is_stopped(0);
  view.mine = 2;
  const int second = patience(view);
  CHECK(second > kLimit);
  view.mine = 3;
  CHECK(patience(view) > second);
  // The second one is the first where rank 0 is missing.
  HostView without_first = all_wait(0);
  without_first.ranks[0].silent = kLimit;
  without_first.mine = 1;
  CHECK(patience(without_first) == kLimit);
  CHECK(patience(all_wait(0)) > 10 * kLimit);
}

TEST_CASE("the line names who is missing and where the others wait") {
  CHECK(hang_message(one_is_stopped(kLimit), kLimit).value() ==
        "rank 1 on node7 has not come to the exchange of gradients for 60 s; ranks 0, 2, 3 wait in it; look for a "
        "stopped process or a swapping host, then start again, a training with --resume");
  HostView two_are_stopped = one_is_stopped(kLimit);
  two_are_stopped.ranks[3].silent = kLimit;
  CHECK(hang_message(two_are_stopped, kLimit)
            .value()
            .starts_with("ranks 1, 3 on node7 have not come to the exchange of gradients for 60 s; ranks 0, 2 wait in "
                         "it; "));
  HostView others_wait_elsewhere = one_is_stopped(kLimit);
  others_wait_elsewhere.ranks[3].wait = Wait::sum;
  CHECK(hang_message(others_wait_elsewhere, kLimit)
            .value()
            .find("; rank 3 waits in a sum over the ranks, ranks 0, 2 wait in it; ") != std::string::npos);
  CHECK(hang_message(one_is_busy(10 * kLimit), kLimit).value() ==
        "rank 1 on node7 has not come to the exchange of gradients for 600 s; ranks 0, 2, 3 wait in it; a busy rank "
        "gets more time with a --hang-timeout above 60");
}

TEST_CASE("where nobody of the host is missing, the line says so and names the other hosts") {
  HostView view = all_wait(kAges);
  view.other_hosts = {"node8", "node9"};
  CHECK(hang_message(view, kLimit).value() ==
        "no rank of node7 is missing, but ranks 0, 1, 2, 3 wait in the exchange of gradients for 60000 s: a rank on "
        "another host (node8, node9) or the network does not answer");
  view.other_hosts.clear();
  CHECK(hang_message(view, kLimit).value().ends_with("60000 s: MPI or the network does not answer"));
}

TEST_CASE("a rank that sees no other one knows of no host") {
  HostView view{.name = "node7", .ranks = {{.rank = 2, .wait = Wait::start}}, .waited = kAges, .other_hosts = {}};
  CHECK(hang_message(view, kLimit).value() ==
        "rank 2 waits in the start of MPI for 60000 s: another rank or the network does not answer");
  const int third = patience(view);
  CHECK(third > 10 * kLimit);
  view.ranks[0].rank = 1;
  CHECK(patience(view) < third);
}
