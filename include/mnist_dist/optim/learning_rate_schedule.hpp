// The learning rate of a step: a pure function of the settings and the step's number, so that a resumed run and every
// rank have the same. Local.
//
// With W = warmup_steps and T = total_steps, the steps of a run are 1 to T, and
//   1 to W      rise linearly: base s / W. Step 1 gets base / W, step W exactly base
//               (Goyal et al., "Accurate, large minibatch SGD", 2017, section 2.2). W = 0: no warm-up.
//   W + 1 on    follow the schedule, by the k = s - W - 1 steps that are behind it. Step W + 1 gets exactly base:
//     constant  base.
//     step      base decay^floor(k / decay_steps): the first decay_steps of these steps get base, the next base decay.
//     cosine    base / 2 (1 + cos(pi k / (T - W))): Loshchilov & Hutter, "SGDR", 2017, equation 5, without restarts and
//               with a minimum of 0. The half cosine ends with step T, which gets the last value above 0,
//               base / 2 (1 - cos(pi / (T - W))); from step T + 1 on it is 0.
// So after a warm-up as without one, these are PyTorch's StepLR and CosineAnnealingLR, begun after step W.
#pragma once

#include <cstdint>

#include "mnist_dist/core/named_values.hpp"

namespace mnist_dist::optim {

enum class ScheduleKind { constant, step, cosine };
inline constexpr NamedValues<ScheduleKind, 3> kSchedules = {
    {{ScheduleKind::constant, "constant"}, {ScheduleKind::step, "step"}, {ScheduleKind::cosine, "cosine"}}};

struct ScheduleSettings {
  ScheduleKind kind = ScheduleKind::constant;
  std::int64_t warmup_steps = 0;
  std::int64_t total_steps =
      0;  ///< cosine: the steps of the run, with the warm-up; where it is no longer, all is warm-up
  std::int64_t decay_steps = 1;  ///< step: the steps from one decay to the next; at least 1
  double decay = 0.1;            ///< step: the factor
};

/// Local. @param base the highest learning rate  @param step from 1, as in StepSettings
[[nodiscard]] double learning_rate(const ScheduleSettings& settings, double base, std::int64_t step);

}  // namespace mnist_dist::optim
