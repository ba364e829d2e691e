// Which kernels this processor gets, and what that means for the bits. Local.
#pragma once

#include <string>

namespace mnist_dist::nn {

/// The vectors of the kernels that were chosen for this processor, such as "AVX-512", "AVX2" or "NEON".
[[nodiscard]] std::string kernel_vectors();

/// How the kernels round: "fused multiply-add" (one rounding, whatever the vectors) or "multiply, then add" (two). The
/// same program gives the same bits on all processors with the same arithmetic.
[[nodiscard]] std::string kernel_arithmetic();

}  // namespace mnist_dist::nn
