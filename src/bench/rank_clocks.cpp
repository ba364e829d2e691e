#include "rank_clocks.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>

namespace mnist_dist::bench {
namespace {

constexpr std::int64_t kParts = 9;
constexpr double kWarmUpSeconds = 0.1;
constexpr int kFewestTries = 4;

template <class T>
T of_first_rank(const comm::Communicator& ranks, T value) {
  ranks.broadcast(std::span(&value, 1));
  return value;
}

/// Collective: how many repetitions take about so long. Finds out by trying more and more of them, which warms up, too.
/// The fastest try counts: a disturbed one would have us measure too few.
std::int64_t repetitions_within(const comm::Communicator& ranks, double seconds, const TimedWork& work) {
  const double warm_up = std::min(kWarmUpSeconds, seconds / 4);
  double passed = 0;
  double fastest = std::numeric_limits<double>::infinity();
  std::int64_t repetitions = 1;
  for (int tries = 1; tries == 1 || passed < seconds; ++tries, repetitions *= 2) {
    ranks.barrier();
    const double of_this_try = of_first_rank(ranks, work(repetitions).front());
    passed += of_this_try;
    fastest = std::min(fastest, of_this_try / static_cast<double>(repetitions));
    if (tries >= kFewestTries && static_cast<double>(repetitions) * fastest >= warm_up) break;
  }
  return std::max<std::int64_t>(1, std::llround(seconds / fastest));
}

/// Which of the parts is the median, or the fastest.
std::size_t choose(Part wanted, const std::vector<std::vector<double>>& seconds_by_part) {
  std::vector<std::size_t> order(seconds_by_part.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t part) { return seconds_by_part[part].front(); });
  return wanted == Part::fastest ? order.front() : order[(order.size() - 1) / 2];
}

}  // namespace

Timing time_together(const comm::Communicator& ranks, double seconds, Part part, const TimedWork& work) {
  const std::int64_t wanted = repetitions_within(ranks, seconds, work);
  const std::int64_t parts = std::min(kParts, wanted);
  const std::int64_t repetitions = (wanted + parts - 1) / parts;
  std::vector<std::vector<double>> seconds_by_part;
  for (std::int64_t done = 0; done < parts; ++done) {
    ranks.barrier();
    seconds_by_part.push_back(work(repetitions));
  }
  std::vector<double> mine = seconds_by_part[of_first_rank(ranks, choose(part, seconds_by_part))];
  for (double& figure : mine) figure /= static_cast<double>(repetitions);
  std::vector<double> all(mine.size() * static_cast<std::size_t>(ranks.size()));
  ranks.all_gather_parts(std::span<const double>(mine), std::span(all));

  Timing timing{.repetitions = parts * repetitions, .seconds_by_rank = {}};
  for (auto figures = all.begin(); figures != all.end(); figures += static_cast<std::ptrdiff_t>(mine.size())) {
    timing.seconds_by_rank.emplace_back(figures, figures + static_cast<std::ptrdiff_t>(mine.size()));
  }
  return timing;
}

double time_until_all_done(const comm::Communicator& ranks, double seconds, Part part,
                           const std::function<void()>& work) {
  const Timing timing = time_together(ranks, seconds, part, [&](std::int64_t repetitions) -> std::vector<double> {
    const auto start = std::chrono::steady_clock::now();
    for (std::int64_t done = 0; done < repetitions; ++done) work();
    ranks.barrier();
    return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()};
  });
  return std::ranges::max(timing.seconds_by_rank, {},
                          [](const std::vector<double>& figures) { return figures.front(); })
      .front();
}

}  // namespace mnist_dist::bench
