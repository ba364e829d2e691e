#include "vector_sums.hpp"

#include <algorithm>

#include "mnist_dist/core/hot_loop.hpp"

namespace mnist_dist::comm {
namespace {

// A block of every intermediate sum stays in the first-level cache until it has been used.
constexpr std::size_t kBlock = 1024;

MNIST_DIST_HOT_LOOP void add(const float* left, const float* right, float* sum, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) sum[i] = left[i] + right[i];
}

}  // namespace

void add_vectors(const AdditionPlan& plan, std::span<const float* const> inputs, std::size_t size,
                 std::span<float* const> results) {
  thread_local std::vector<float> scratch;
  scratch.resize(plan.additions.size() * kBlock);
  thread_local std::vector<const float*> sums;
  sums.resize(plan.inputs + plan.additions.size());
  for (std::size_t first = 0; first < size; first += kBlock) {
    const std::size_t count = std::min(kBlock, size - first);
    for (std::size_t i = 0; i < plan.inputs; ++i) sums[i] = inputs[i] + first;
    for (std::size_t i = 0; i < plan.additions.size(); ++i) {
      float* sum = scratch.data() + i * kBlock;
      const auto result = std::find(plan.results.begin(), plan.results.end(), plan.inputs + i);
      if (result != plan.results.end()) sum = results[static_cast<std::size_t>(result - plan.results.begin())] + first;
      add(sums[plan.additions[i].left], sums[plan.additions[i].right], sum, count);
      sums[plan.inputs + i] = sum;
    }
    for (std::size_t i = 0; i < plan.results.size(); ++i) {
      if (plan.results[i] < plan.inputs) std::copy_n(sums[plan.results[i]], count, results[i] + first);
    }
  }
}

}  // namespace mnist_dist::comm
