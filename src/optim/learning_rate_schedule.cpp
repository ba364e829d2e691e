#include "mnist_dist/optim/learning_rate_schedule.hpp"

#include <cmath>
#include <numbers>

namespace mnist_dist::optim {
namespace {

double cosine(double base, std::int64_t steps_behind, std::int64_t steps) {
  if (steps_behind >= steps) return 0;
  const double progress = static_cast<double>(steps_behind) / static_cast<double>(steps);
  return base * (0.5 * (1.0 + std::cos(std::numbers::pi * progress)));
}

}  // namespace

double learning_rate(const ScheduleSettings& settings, double base, std::int64_t step) {
  if (step <= settings.warmup_steps) {
    return base * (static_cast<double>(step) / static_cast<double>(settings.warmup_steps));
  }
  const std::int64_t steps_behind = step - settings.warmup_steps - 1;
  switch (settings.kind) {
    case ScheduleKind::constant:
      break;
    case ScheduleKind::step: {
      const std::int64_t decays = steps_behind / settings.decay_steps;
      return base * std::pow(settings.decay, static_cast<double>(decays));
    }
    case ScheduleKind::cosine:
      return cosine(base, steps_behind, settings.total_steps - settings.warmup_steps);
  }
  return base;
}

}  // namespace mnist_dist::optim
