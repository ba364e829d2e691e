// What an epoch would take with other numbers of ranks and hosts, and over other links: from what a rank's work costs
// on this machine. Local.
//
// A step is: the passes over a rank's rows; the gradient and the update of a rank's share of the parameters; waiting
// for each other; and between hosts the exchange, by the model of Hockney (1994). All ranks are taken for equally fast,
// each with a core of its own; the slowest is the one with the most rows or parameters.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mnist_dist/comm/exchange_schedule.hpp"
#include "mnist_dist/comm/gradient_reduction.hpp"
#include "mnist_dist/comm/link.hpp"

namespace mnist_dist::bench {

/// Seconds by a number of rows: measured for some, between these on a straight line, and beyond them on the next one.
class Curve {
 public:
  Curve() = default;  ///< 0 everywhere
  /// @param points (rows, seconds), at least one, ascending by rows
  explicit Curve(std::vector<std::pair<double, double>> points) : points_(std::move(points)) {}
  /// At least 0.
  [[nodiscard]] double at(double rows) const;

 private:
  std::vector<std::pair<double, double>> points_;
};

/// What a rank's work costs in a step, in seconds of one core while `ranks` ranks work on the host.
struct WorkCosts {
  int ranks = 1;
  Curve passes;    ///< load, forward and backward, by the rows of the rank
  Curve gradient;  ///< of all parameters, by the rows that it is formed over, in `microbatches` microbatches
  std::size_t microbatches = 1;
  double microbatch = 0;    ///< of the gradient: for each microbatch more
  double update = 0;        ///< of all parameters
  double waiting = 0;       ///< of ranks for each other; for each doubling of their number
  double end_of_epoch = 0;  ///< the whole holdout scored, and all rows in a new order
};

/// Ranks that share memory and caches cost each other time.
struct Costs {
  WorkCosts alone;     ///< of a rank that has its host for itself
  WorkCosts together;  ///< otherwise
};

/// What there is to do.
struct Job {
  std::size_t rows = 0;  ///< that are trained on
  std::size_t batch_size = 1;
  std::size_t shards = 1;
  std::vector<comm::ParameterBlock> blocks;
  std::size_t row_bytes = 0;         ///< of what a row leaves for the gradient: inputs, outputs and deltas
  std::size_t microbatch_bytes = 0;  ///< of what a microbatch leaves beside its rows: the deltas' sums
  comm::ExchangeKind exchange = comm::ExchangeKind::automatic;
};

struct Layout {
  int hosts = 1;
  int ranks_per_host = 1;
  [[nodiscard]] int ranks() const { return hosts * ranks_per_host; }
  [[nodiscard]] std::vector<int> ranks_of_hosts() const {
    return std::vector<int>(static_cast<std::size_t>(hosts), ranks_per_host);
  }
  bool operator==(const Layout&) const = default;
};

struct Prediction {
  std::optional<comm::ExchangeKind> sent;  ///< between hosts: what the job asks for, or what is quicker
  double step_seconds = 0;                 ///< the mean step
  comm::HostTraffic traffic;               ///< between hosts, of a step; its seconds are part of the step
  double epoch_seconds = 0;
};

/// @param link between hosts; each host has one of its own, in both directions at once
[[nodiscard]] Prediction predict(const Costs& costs, const Job& job, const Layout& layout, const comm::Link& link);

/// The largest share of the blocks' cost that a rank gets, where each rank has a run of its host's part of them.
[[nodiscard]] double largest_share(const std::vector<comm::ParameterBlock>& blocks,
                                   const std::vector<int>& ranks_of_hosts);

/// The layouts to predict: 1, 2, 4, ... ranks on one host, then 1, 2, 4, ... full hosts, up to 4,096 ranks.
[[nodiscard]] std::vector<Layout> layouts_to_predict(int ranks_per_host);

// Seconds: the latencies that are assumed of links that were not measured, for TCP and for InfiniBand or the like.
inline constexpr double kTcpLatency = 25e-6;
inline constexpr double kFabricLatency = 2e-6;
/// An efficiency that is worth its ranks.
inline constexpr double kEfficient = 0.5;

/// A link with its name, such as "10 Gbit/s".
struct NamedLink {
  std::string name;
  comm::Link link;
};
/// 1 and 10 Gbit/s with TCP, 100 and 400 without; before them the measured one, if any.
[[nodiscard]] std::vector<NamedLink> links_to_predict(const std::optional<comm::Link>& measured);

/// All layouts over one link.
struct LinkPredictions {
  NamedLink link;
  std::vector<Prediction> by_layout;
  std::size_t fastest = 0;         ///< the smallest of the layouts that take the least time
  std::size_t last_efficient = 0;  ///< the largest layout that is at least kEfficient
  /// One rank's time by this layout's.
  [[nodiscard]] double speed_up(std::size_t layout) const;
};

struct ScalingTable {
  std::vector<Layout> layouts;  ///< the first is one rank
  std::vector<LinkPredictions> links;
  /// The speed-up by the number of ranks.
  [[nodiscard]] double efficiency(const LinkPredictions& link, std::size_t layout) const;
};

[[nodiscard]] ScalingTable predict_all(const Costs& costs, const Job& job, int ranks_per_host,
                                       const std::vector<NamedLink>& links);

}  // namespace mnist_dist::bench
