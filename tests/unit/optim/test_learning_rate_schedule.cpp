#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/optim/learning_rate_schedule.hpp"

using namespace mnist_dist;
using optim::learning_rate;
using optim::ScheduleKind;
using optim::ScheduleSettings;

namespace {

/// The largest distance from PyTorch's learning rates, as a share of the base.
double distance(const std::string& name, const ScheduleSettings& settings) {
  static const nlohmann::json json = nlohmann::json::parse(std::ifstream(TEST_DATA "/learning_rate_schedules.json"));
  const auto expected = json.at(name).get<std::vector<double>>();
  REQUIRE(expected.size() == 40);
  double largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double rate = learning_rate(settings, 0.02, static_cast<std::int64_t>(i) + 1);
    largest = larger_error(largest, difference(rate, expected[i]) / 0.02);
  }
  return largest;
}

// PyTorch's schedules multiply the last rate, step after step.
constexpr double kTolerance = 1e-13;

}  // namespace

TEST_CASE("learning rates agree with PyTorch's schedules") {
  const ScheduleSettings step{.kind = ScheduleKind::step, .decay_steps = 7, .decay = 0.5};
  const ScheduleSettings cosine{.kind = ScheduleKind::cosine, .total_steps = 40};
  CHECK(distance("step", step) < kTolerance);
  CHECK(distance("cosine", cosine) < kTolerance);
  // And the comparison can tell one from another.
  CHECK(exceeds(distance("step", cosine), 0.1));
  CHECK(exceeds(distance("cosine", {.kind = ScheduleKind::cosine, .total_steps = 41}), 0.01));
}

TEST_CASE("learning rates agree with PyTorch's schedules after a linear warm-up") {
  CHECK(distance("constant_after_warmup", {.warmup_steps = 5}) < kTolerance);
  CHECK(distance("step_after_warmup", {.kind = ScheduleKind::step, .warmup_steps = 5, .decay_steps = 7, .decay = 0.5}) <
        kTolerance);
  CHECK(distance("cosine_after_warmup", {.kind = ScheduleKind::cosine, .warmup_steps = 5, .total_steps = 40}) <
        kTolerance);
  CHECK(exceeds(distance("constant_after_warmup", {.warmup_steps = 6}), 0.01));
}

TEST_CASE("the first, the last warm-up and the last step get what the header says") {
  for (const ScheduleKind kind : {ScheduleKind::constant, ScheduleKind::step, ScheduleKind::cosine}) {
    CAPTURE(static_cast<int>(kind));
    const ScheduleSettings settings{.kind = kind, .warmup_steps = 7, .total_steps = 20, .decay_steps = 3};
    CHECK(difference(learning_rate(settings, 0.3, 1), 0.3 / 7) < 1e-15);
    CHECK(learning_rate(settings, 0.3, 7) == 0.3);
    CHECK(learning_rate(settings, 0.3, 8) == 0.3);
    CHECK(learning_rate({.kind = kind, .total_steps = 20}, 0.3, 1) == 0.3);
  }
  const ScheduleSettings step{.kind = ScheduleKind::step, .warmup_steps = 7, .decay_steps = 3};
  CHECK(learning_rate(step, 0.3, 10) == 0.3);
  CHECK(difference(learning_rate(step, 0.3, 11), 0.03) < 1e-15);
  const ScheduleSettings cosine{.kind = ScheduleKind::cosine, .warmup_steps = 7, .total_steps = 20};
  const double pi = std::acos(-1.0);
  CHECK(difference(learning_rate(cosine, 0.3, 20), 0.15 * (1 - std::cos(pi / 13))) < 1e-12);
  CHECK(learning_rate(cosine, 0.3, 21) == 0);
  CHECK(learning_rate(cosine, 0.3, 1000) == 0);
}

TEST_CASE("a run that is all warm-up only rises") {
  const ScheduleSettings settings{.kind = ScheduleKind::cosine, .warmup_steps = 10, .total_steps = 10};
  CHECK(learning_rate(settings, 1, 10) == 1);
  CHECK(learning_rate(settings, 1, 11) == 0);
  CHECK(learning_rate({.kind = ScheduleKind::cosine, .warmup_steps = 10, .total_steps = 4}, 1, 4) == 0.4);
}
