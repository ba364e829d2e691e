// Stands between a program (by LD_PRELOAD) and Highway, which then believes that the processor has nothing better than
// SSE4: no fused multiply-add.
#include <hwy/targets.h>

#include <cstdint>

namespace hwy {

std::int64_t SupportedTargets() {
  return HWY_SSE4;
}

}  // namespace hwy
