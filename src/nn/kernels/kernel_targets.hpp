// The kinds of vectors that the kernels are compiled for, for tests that run them all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mnist_dist::nn {

struct KernelTarget {
  std::int64_t id;  ///< Highway's
  std::string vectors;
  bool fused;  ///< a multiply-add rounds once
};

/// Those that this processor can run, best first.
[[nodiscard]] std::vector<KernelTarget> runnable_targets();

/// From now on kernels run with these vectors, in all threads.
void use_target(const KernelTarget& target);

}  // namespace mnist_dist::nn
