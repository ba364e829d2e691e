#include "hang_board.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <string>

#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/stop_request.hpp"

namespace mnist_dist::comm {
namespace {

constexpr int kPatienceWithBusyRanks = 10;  // times the limit
// So much later each next rank speaks, in case that the one before it cannot end the job.
constexpr int kTurn = 10 * kLooksPerSecond;

using Rank = HostView::Rank;

/// Without the domain; it fits into every message.
std::array<char, 64> short_host_name() {
  const std::string whole = host_name();
  std::array<char, 64> name{};
  whole.substr(0, whole.find('.', 1)).copy(name.data(), name.size() - 1);
  return name;
}

std::string numbers_of(const std::vector<Rank>& ranks) {
  std::vector<int> numbers;
  numbers.reserve(ranks.size());
  for (const Rank& rank : ranks) numbers.push_back(rank.rank);
  return fmt::format("rank{} {}", ranks.size() == 1 ? "" : "s", fmt::join(numbers, ", "));
}

/// "ranks 0, 2 wait in it, rank 3 waits in a sum over the ranks"
std::string places_of(const std::vector<Rank>& waiting, Wait it) {
  std::vector<std::string> places;
  for (const NamedValue<Wait>& place : kWaits) {
    std::vector<Rank> here;
    std::ranges::copy_if(waiting, std::back_inserter(here), [&](const Rank& rank) { return rank.wait == place.value; });
    if (here.empty()) continue;
    places.push_back(fmt::format("{} wait{} in {}", numbers_of(here), here.size() == 1 ? "s" : "",
                                 place.value == it ? "it" : place.name));
  }
  return fmt::format("{}", fmt::join(places, ", "));
}

/// The ranks of a host, as the rank that looks takes them.
struct Sorted {
  std::vector<Rank> silent;
  std::vector<Rank> busy;
  std::vector<Rank> waiting;
  int before_mine = 0;  // how many wait, of the ranks before this one
};

Sorted sort_ranks(const HostView& view, int limit) {
  Sorted sorted;
  if (!view.complete) sorted.before_mine = view.ranks[view.mine].rank;  // all of them, for all that is known
  for (std::size_t i = 0; i < view.ranks.size(); ++i) {
    const Rank& rank = view.ranks[i];
    if (i != view.mine && rank.silent >= limit) {
      sorted.silent.push_back(rank);
    } else if (rank.wait == Wait::none) {
      sorted.busy.push_back(rank);
    } else {
      sorted.waiting.push_back(rank);
      if (i < view.mine) ++sorted.before_mine;
    }
  }
  return sorted;
}

/// Who may be missing where no rank of this host is.
std::string suspects(const HostView& view) {
  if (!view.other_hosts.empty()) return fmt::format("a rank on another host ({})", fmt::join(view.other_hosts, ", "));
  return view.complete ? "MPI" : "another rank";
}

}  // namespace

std::optional<std::string> hang_message(const HostView& view, int limit) {
  const Wait wait = view.ranks[view.mine].wait;
  if (wait == Wait::none || view.waited < limit) return std::nullopt;
  const auto [silent, busy, waiting, before_mine] = sort_ranks(view, limit);
  const std::vector<Rank>& missing = silent.empty() ? busy : silent;
  // A launcher that ends the job asks to stop, too, and kills soon after.
  const bool hurry = view.asked_to_stop >= limit + kTurn;
  const int patience = silent.empty() && !hurry ? kPatienceWithBusyRanks * limit : limit;
  // The host of the missing rank comes before others.
  const int turn = before_mine + (missing.empty() ? 1 : 0);
  if (view.waited < patience + turn * kTurn) return std::nullopt;

  const int seconds = view.waited / kLooksPerSecond;
  if (missing.empty()) {
    return fmt::format("{}{} for {} s: {} or the network does not answer",
                       view.complete ? fmt::format("no rank of {} is missing, but ", view.name) : "",
                       places_of(waiting, Wait::none), seconds, suspects(view));
  }
  return fmt::format(
      "{} on {} {} not come to {} for {} s; {}; {}", numbers_of(missing), view.name,
      missing.size() == 1 ? "has" : "have", name_of(kWaits, wait), seconds, places_of(waiting, wait),
      silent.empty() ? fmt::format("a busy rank gets more time with a --hang-timeout above {}", limit / kLooksPerSecond)
                     : "look for a stopped process or a swapping host, then start again, a training with --resume");
}

HangBoard::HangBoard(RankSign& sign, int rank)
    : signs_{&sign},
      last_beats_(1),
      view_{.name = short_host_name().data(), .ranks = {{.rank = rank}}, .other_hosts = {}} {}

HangBoard::HangBoard(const Communicator& world, const Communicator& host)
    : memory_(std::make_unique<HostMemory>(host, sizeof(RankSign))),
      last_beats_(static_cast<std::size_t>(host.size())) {
  const auto name = short_host_name();
  view_.name = name.data();
  view_.mine = static_cast<std::size_t>(host.rank());
  view_.complete = true;
  const std::vector<int> ranks = host.all_gather(world.rank());
  for (int rank = 0; rank < host.size(); ++rank) {
    view_.ranks.push_back({.rank = ranks[static_cast<std::size_t>(rank)]});
    signs_.push_back(reinterpret_cast<RankSign*>(memory_->segment(rank).data()));
  }
  std::vector<char> names(name.size() * static_cast<std::size_t>(world.size()));
  world.all_gather_parts(std::span<const char>(name), std::span(names));
  std::set<std::string> others;
  for (int rank = 0; rank < world.size(); ++rank) {
    if (std::ranges::find(ranks, rank) != ranks.end()) continue;
    others.insert(names.data() + name.size() * static_cast<std::size_t>(rank));
  }
  view_.other_hosts.assign(others.begin(), others.end());
}

const HostView& HangBoard::look() {
  mine().beats.fetch_add(1, std::memory_order_relaxed);
  if (stop_requested()) ++view_.asked_to_stop;
  for (std::size_t i = 0; i < signs_.size(); ++i) {
    const std::uint64_t beats = signs_[i]->beats.load(std::memory_order_relaxed);
    HostView::Rank& rank = view_.ranks[i];
    rank.silent = beats == last_beats_[i] ? rank.silent + 1 : 0;
    last_beats_[i] = beats;
    const std::uint64_t wait = signs_[i]->wait.load(std::memory_order_relaxed);
    rank.wait = RankSign::wait_of(wait);
    if (i != view_.mine) continue;
    view_.waited = rank.wait != Wait::none && wait == last_wait_ ? view_.waited + 1 : 0;
    last_wait_ = wait;
  }
  return view_;
}

}  // namespace mnist_dist::comm
