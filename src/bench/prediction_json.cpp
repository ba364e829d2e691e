#include <algorithm>

#include "mnist_dist/bench/prediction_output.hpp"
#include "mnist_dist/core/named_values.hpp"
#include "subject_json.hpp"

namespace mnist_dist::bench {
namespace {

Json sent_json(std::optional<comm::ExchangeKind> sent) {
  return sent ? Json(name_of(comm::kExchanges, *sent)) : Json();
}

Json costs_json(const WorkCosts& costs, const Job& job) {
  const auto rows = static_cast<double>(std::min(job.batch_size, job.rows));
  return {{"ranks_at_work", costs.ranks},
          {"rows", rows},
          {"passes_seconds", costs.passes.at(rows)},
          {"gradient_seconds", costs.gradient.at(rows)},
          {"update_seconds", costs.update},
          {"microbatch_seconds", costs.microbatch},
          {"waiting_seconds", costs.waiting},
          {"end_of_epoch_seconds", costs.end_of_epoch}};
}

Json layout_json(const Layout& layout) {
  return {{"hosts", layout.hosts}, {"ranks", layout.ranks()}};
}

Json link_json(const ScalingTable& table, const LinkPredictions& link) {
  Json layouts = Json::array();
  for (std::size_t i = 0; i < table.layouts.size(); ++i) {
    const Prediction& prediction = link.by_layout[i];
    Json layout = layout_json(table.layouts[i]);
    layout["epoch_seconds"] = prediction.epoch_seconds;
    layout["step_seconds"] = prediction.step_seconds;
    layout["link_seconds"] = prediction.traffic.seconds;
    layout["speed_up"] = link.speed_up(i);
    layout["efficiency_percent"] = 100 * table.efficiency(link, i);
    layout["sent"] = sent_json(prediction.sent);
    layout["messages_of_host"] = prediction.traffic.messages;
    layout["bytes_of_host"] = prediction.traffic.bytes;
    layouts.push_back(std::move(layout));
  }
  return {{"name", link.link.name},
          {"latency_seconds", link.link.link.latency},
          {"bytes_per_second", link.link.link.bytes_per_second},
          {"fastest", layout_json(table.layouts[link.fastest])},
          {"efficient", layout_json(table.layouts[link.last_efficient])},
          {"layouts", std::move(layouts)}};
}

}  // namespace

std::string forecast_json(const Forecast& forecast, const Subject& subject) {
  Json links = Json::array();
  for (const LinkPredictions& link : forecast.table.links) links.push_back(link_json(forecast.table, link));
  const Json json = {{"machine", machine_json(subject)},
                     {"run", run_json(subject.settings, subject.file)},
                     {"costs",
                      {{"bytes_of_row", forecast.probe.job.row_bytes},
                       {"alone", costs_json(forecast.probe.costs.alone, forecast.probe.job)},
                       {"together", costs_json(forecast.probe.costs.together, forecast.probe.job)}}},
                     {"ranks_per_host", forecast.ranks_per_host},
                     {"links", std::move(links)},
                     {"assumptions", assumptions(forecast)}};
  return json_text(json);
}

}  // namespace mnist_dist::bench
