#include "add_vectors.hpp"

#include <algorithm>
#include <vector>

#include "mnist_dist/core/hot_loop.hpp"

namespace mnist_dist::comm {
namespace {

// A block of every intermediate sum stays in the first-level cache until it has been used.
constexpr std::size_t kBlock = 1024;

MNIST_DIST_HOT_LOOP void add(const float* left, const float* right, float* sum, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) sum[i] = left[i] + right[i];
}

}  // namespace

void add_vectors(const AdditionPlan& plan, std::span<const float* const> inputs, std::span<float> sum) {
  thread_local std::vector<float> scratch;
  scratch.resize(plan.additions.size() * kBlock);
  thread_local std::vector<const float*> sums;
  sums.resize(plan.inputs + plan.additions.size());
  for (std::size_t first = 0; first < sum.size(); first += kBlock) {
    const std::size_t count = std::min(kBlock, sum.size() - first);
    for (std::size_t i = 0; i < plan.inputs; ++i) sums[i] = inputs[i] + first;
    for (std::size_t i = 0; i < plan.additions.size(); ++i) {
      float* const to = i + 1 == plan.additions.size() ? sum.data() + first : scratch.data() + i * kBlock;
      add(sums[plan.additions[i].left], sums[plan.additions[i].right], to, count);
      sums[plan.inputs + i] = to;
    }
  }
}

}  // namespace mnist_dist::comm
