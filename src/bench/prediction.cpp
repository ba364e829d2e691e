#include "mnist_dist/bench/prediction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "mnist_dist/core/sum_tree.hpp"
#include "mnist_dist/data/epoch_plan.hpp"

namespace mnist_dist::bench {
namespace {

constexpr int kMostRanks = 4096;
// An addition of another host's sums reads two floats and writes one; the update reads four and writes three.
constexpr double kAdditionPerUpdate = 3.0 / 7;

/// The steps of a layout.
class LayoutModel {
 public:
  LayoutModel(const Costs& costs, const Job& job, const Layout& layout)
      : costs_(layout.ranks_per_host == 1 ? costs.alone : costs.together),
        job_(job),
        layout_(layout),
        shards_(std::max(job.shards, static_cast<std::size_t>(layout.ranks()))),
        plan_(job.rows, job.batch_size, shards_),
        rows_(static_cast<double>(plan_.rows_of_step(0))) {
    if (layout.hosts == 1) return;
    gradients_ = comm::messages_of_gradients(layout.ranks_of_hosts(), shards_, job.blocks);
    std::vector<std::size_t> bytes;
    for (int host = 0; host < layout.hosts; ++host) {
      const ShardBlock shards = shards_of_rank(shards_, layout.hosts, host);
      const std::size_t rows = rows_of(shards, 0);
      bytes.push_back(rows * job.row_bytes + std::min(shards.size(), rows) * job.microbatch_bytes);
    }
    activations_ = comm::messages_of_activations(bytes);
  }

  [[nodiscard]] Prediction over(const comm::Link& link) const {
    using comm::ExchangeKind;
    Prediction best;
    best.step_seconds = common_seconds() + seconds_with_activations();
    if (layout_.hosts > 1) {
      best.sent = ExchangeKind::activations;
      best.traffic = comm::traffic_of(activations_, link);
      best.step_seconds += best.traffic.seconds;
      Prediction other{.sent = ExchangeKind::gradients, .traffic = comm::traffic_of(gradients_, link)};
      other.step_seconds = common_seconds() + seconds_with_gradients() + other.traffic.seconds;
      const bool quicker = other.step_seconds < best.step_seconds;
      if (job_.exchange == ExchangeKind::gradients || (job_.exchange == ExchangeKind::automatic && quicker))
        best = other;
    }
    best.epoch_seconds = epoch_of(best.step_seconds);
    return best;
  }

 private:
  [[nodiscard]] std::size_t rows_of(const ShardBlock& shards, std::size_t step) const {
    std::size_t rows = 0;
    for (std::size_t shard = shards.begin; shard < shards.end; ++shard) rows += plan_.microbatch(shard, step).size();
    return rows;
  }

  /// The most rows of any group in a step, in the mean over an epoch's first steps. @param groups ranks, or hosts
  [[nodiscard]] double most_rows(int groups) const {
    constexpr std::size_t kSteps = 8;
    const std::size_t whole_steps = std::clamp<std::size_t>(plan_.steps() - 1, 1, kSteps);
    std::size_t sum = 0;
    for (std::size_t step = 0; step < whole_steps; ++step) {
      std::size_t most = 0;
      for (int group = 0; group < groups; ++group) {
        most = std::max(most, rows_of(shards_of_rank(shards_, groups, group), step));
      }
      sum += most;
    }
    return static_cast<double>(sum) / static_cast<double>(whole_steps);
  }

  /// The passes and waiting, whatever is sent.
  [[nodiscard]] double common_seconds() const {
    return costs_.passes.at(most_rows(layout_.ranks())) + costs_.waiting * std::log2(layout_.ranks());
  }

  /// A host forms and updates all parameters, over all rows.
  [[nodiscard]] double seconds_with_activations() const {
    return share_of_rank() * (gradient_over(rows_, shards_) + costs_.update);
  }

  /// A host forms all parameters over its own rows; its part of them it adds up and updates.
  [[nodiscard]] double seconds_with_gradients() const {
    const std::size_t shards_of_host = (shards_ - 1) / static_cast<std::size_t>(layout_.hosts) + 1;
    const double additions = kAdditionPerUpdate * (layout_.hosts - 1) * costs_.update;
    return share_of_rank() * gradient_over(most_rows(layout_.hosts), shards_of_host) +
           largest_share(job_.blocks, layout_.ranks_of_hosts()) * (costs_.update + additions);
  }

  [[nodiscard]] double epoch_of(double step_seconds) const {
    const ShardBlock most = shards_of_rank(shards_, layout_.ranks(), layout_.ranks() - 1);
    const double share = static_cast<double>(most.size()) / static_cast<double>(shards_);
    const double steps = static_cast<double>(job_.rows) / rows_;
    return steps * step_seconds + share * costs_.end_of_epoch;
  }

  /// Of a host's parameters.
  [[nodiscard]] double share_of_rank() const { return largest_share(job_.blocks, {layout_.ranks_per_host}); }

  [[nodiscard]] double gradient_over(double rows, std::size_t microbatches) const {
    const auto not_empty = [&](std::size_t count) { return std::min(static_cast<double>(count), rows); };
    const double more = not_empty(microbatches) - not_empty(costs_.microbatches);
    return std::max(0.0, costs_.gradient.at(rows) + costs_.microbatch * more);
  }

  const WorkCosts& costs_;
  const Job& job_;
  Layout layout_;
  std::size_t shards_;
  data::ShardPlan plan_;
  double rows_;  // of a whole step
  std::vector<comm::HostMessage> activations_;
  std::vector<comm::HostMessage> gradients_;
};

}  // namespace

double Curve::at(double rows) const {
  if (points_.size() < 2) return points_.empty() ? 0 : points_.front().second;
  std::size_t end = 1;
  while (end + 1 < points_.size() && points_[end].first < rows) ++end;
  const auto& [left, left_seconds] = points_[end - 1];
  const auto& [right, right_seconds] = points_[end];
  return std::max(0.0, left_seconds + (rows - left) / (right - left) * (right_seconds - left_seconds));
}

double largest_share(const std::vector<comm::ParameterBlock>& blocks, const std::vector<int>& ranks_of_hosts) {
  double largest = 0;
  double total = 0;
  const std::vector<ParameterRange> ranges = comm::ranges_of_hosts(ranks_of_hosts, blocks);
  for (std::size_t host = 0; host < ranges.size(); ++host) {
    const std::vector<comm::ParameterBlock> owned = comm::blocks_within(ranges[host], blocks);
    auto block = owned.begin();
    for (const ParameterRange& range : comm::ranges_of_ranks(ranks_of_hosts[host], owned)) {
      double of_rank = 0;
      for (; block != owned.end() && block->range.begin < range.end; ++block) of_rank += block->cost;
      largest = std::max(largest, of_rank);
      total += of_rank;
    }
  }
  return largest / total;
}

Prediction predict(const Costs& costs, const Job& job, const Layout& layout, const comm::Link& link) {
  return LayoutModel(costs, job, layout).over(link);
}

std::vector<Layout> layouts_to_predict(int ranks_per_host) {
  std::vector<Layout> layouts;
  for (int ranks = 1; ranks < ranks_per_host; ranks *= 2) layouts.push_back({1, ranks});
  for (int hosts = 1; hosts == 1 || hosts * ranks_per_host <= kMostRanks; hosts *= 2) {
    layouts.push_back({hosts, ranks_per_host});
  }
  return layouts;
}

std::vector<NamedLink> links_to_predict(const std::optional<comm::Link>& measured) {
  constexpr double kBytesPerSecond = 1e9 / 8;  // of 1 Gbit/s
  std::vector<NamedLink> links;
  if (measured) links.push_back({"this link", *measured});
  for (const double gigabits : {1.0, 10.0, 100.0, 400.0}) {
    links.push_back(
        {fmt::format("{} Gbit/s", gigabits),
         {.latency = gigabits < 100 ? kTcpLatency : kFabricLatency, .bytes_per_second = gigabits * kBytesPerSecond}});
  }
  return links;
}

double LinkPredictions::speed_up(std::size_t layout) const {
  return by_layout.front().epoch_seconds / by_layout[layout].epoch_seconds;
}

double ScalingTable::efficiency(const LinkPredictions& link, std::size_t layout) const {
  return link.speed_up(layout) / layouts[layout].ranks();
}

ScalingTable predict_all(const Costs& costs, const Job& job, int ranks_per_host, const std::vector<NamedLink>& links) {
  ScalingTable table{.layouts = layouts_to_predict(ranks_per_host), .links = {}};
  for (const NamedLink& link : links) table.links.push_back({.link = link, .by_layout = {}});
  for (std::size_t i = 0; i < table.layouts.size(); ++i) {
    const LayoutModel model(costs, job, table.layouts[i]);
    for (LinkPredictions& predictions : table.links) {
      predictions.by_layout.push_back(model.over(predictions.link.link));
      if (predictions.speed_up(i) > predictions.speed_up(predictions.fastest)) predictions.fastest = i;
      if (table.efficiency(predictions, i) >= kEfficient) predictions.last_efficient = i;
    }
  }
  return table;
}

}  // namespace mnist_dist::bench
