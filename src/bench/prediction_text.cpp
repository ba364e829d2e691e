#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "mnist_dist/bench/prediction_output.hpp"
#include "mnist_dist/comm/exchange_schedule.hpp"
#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/named_values.hpp"
#include "mnist_dist/train/training_data.hpp"

namespace mnist_dist::bench {
namespace {

constexpr double kMicro = 1e-6;

char letter_of(std::optional<comm::ExchangeKind> sent) {
  return sent ? name_of(comm::kExchanges, *sent).front() : ' ';
}

/// Lines without blanks at their ends.
std::string line(const std::string& text) {
  return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
}

/// A cell for each link, in columns.
template <class Cell>
std::string row(std::string_view label, const ScalingTable& table, Cell&& cell) {
  std::string text = fmt::format("{:<11}", label);
  for (const LinkPredictions& link : table.links) text += fmt::format("  {:<19}", cell(link));
  return line(text);
}

/// At most six characters, for anything from 0.1 ms to a day.
std::string seconds_text(double seconds) {
  return fmt::format("{:.{}f}", seconds, seconds < 0.1 ? 4 : seconds < 10 ? 3 : seconds < 1000 ? 1 : 0);
}

std::string prediction_cell(const ScalingTable& table, const LinkPredictions& link, std::size_t layout) {
  const Prediction& prediction = link.by_layout[layout];
  const double speed_up = link.speed_up(layout);
  return fmt::format("{:>6} {:>5.{}f} {:>3.0f} % {}", seconds_text(prediction.epoch_seconds), speed_up,
                     speed_up < 100 ? 1 : 0, std::floor(100 * table.efficiency(link, layout)),
                     letter_of(prediction.sent));
}

std::string table_text(const ScalingTable& table) {
  const auto number_of_ranks = [&](std::size_t layout) {
    return fmt::format("{:>4} {} on {}", table.layouts[layout].ranks(),
                       table.layouts[layout].ranks() == 1 ? "rank" : "ranks", table.layouts[layout].hosts);
  };
  std::string text = row("", table, [](const LinkPredictions& link) { return link.link.name; });
  text += row("hosts ranks", table, [](const LinkPredictions&) { return "     s    up   eff"; });
  for (std::size_t layout = 0; layout < table.layouts.size(); ++layout) {
    const Layout& numbers = table.layouts[layout];
    text += row(fmt::format("{:5} {:5}", numbers.hosts, numbers.ranks()), table,
                [&](const LinkPredictions& link) { return prediction_cell(table, link, layout); });
  }
  text += row("fastest", table, [&](const LinkPredictions& link) { return number_of_ranks(link.fastest); });
  return text + row(fmt::format("eff {:.0f} %", 100 * kEfficient), table,
                    [&](const LinkPredictions& link) { return number_of_ranks(link.last_efficient); });
}

std::string costs_text(const Forecast& forecast, const Subject& subject) {
  const Job& job = forecast.probe.job;
  const WorkCosts& costs = forecast.probe.costs.alone;
  const auto rows = static_cast<double>(std::min(job.batch_size, job.rows));
  return fmt::format(
      "{}: a step of {:.0f} rows takes a rank alone {:.0f} us for the passes, {:.0f} for the gradient, {:.0f} for the "
      "update\n",
      train::architecture_for(subject.settings, subject.file).description(), rows, costs.passes.at(rows) / kMicro,
      costs.gradient.at(rows) / kMicro, costs.update / kMicro);
}

std::string about_hosts(const Forecast& forecast) {
  return fmt::format("all hosts are like this one and have {}, each with a core{}",
                     counted(forecast.ranks_per_host, "rank"),
                     forecast.ranks_per_host_given ? "" : ": one for each processor here (--ranks-per-host)");
}

std::string about_company(const Forecast& forecast) {
  const int ranks = forecast.probe.costs.together.ranks;
  if (ranks > forecast.processors) {
    return fmt::format("costs as measured with {} on {}, which is too much: measure with fewer", counted(ranks, "rank"),
                       counted(forecast.processors, "processor"));
  }
  if (ranks == 1) {
    return fmt::format("ranks of a host cost each other nothing: measured with 1 (with more: mpirun -np {})",
                       std::min(forecast.ranks_per_host, forecast.processors));
  }
  return fmt::format("costs as measured with {} at once; with each doubling they wait for each other as much longer",
                     counted(ranks, "rank"));
}

std::string about_links() {
  constexpr comm::Link kFree{.latency = 0, .bytes_per_second = 1e30};
  const double message = comm::traffic_of({{.phase = 0, .from = 0, .to = 1, .bytes = 1}}, kFree).seconds;
  return fmt::format(
      "one link a host, duplex: {:.0f} us latency ({:.0f} from 100 Gbit/s on), {:.0f} us a message; idle "
      "while ranks compute",
      kTcpLatency / kMicro, kFabricLatency / kMicro, message / kMicro);
}

}  // namespace

std::vector<std::string> assumptions(const Forecast& forecast) {
  return {about_hosts(forecast), about_company(forecast),
          fmt::format("more ranks than {} have as many shards as ranks, which gives other bits",
                      counted(forecast.probe.job.shards, "shard")),
          about_links(), "an epoch is its steps and the score on the holdout, without the start and what is written"};
}

std::string forecast_text(const Forecast& forecast, const Subject& subject) {
  std::string text =
      costs_text(forecast, subject) + table_text(forecast.table) +
      "s: seconds per epoch; up: times as fast as 1 rank; eff: up by ranks; a, g: activations or gradients are sent\n";
  for (const std::string& sentence : assumptions(forecast)) text += fmt::format("assumed: {}\n", sentence);
  return text;
}

}  // namespace mnist_dist::bench
