#include "kernels.hpp"

#include "kernel_table.hpp"

namespace mnist_dist::nn {
namespace {

KernelTable choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return avx512_kernels();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2_kernels();
#endif
  return baseline_kernels();
}

const KernelTable& kernels() {
  static const KernelTable chosen = choose();
  return chosen;
}

}  // namespace

void multiply_rows(const MatrixView<const float>& a, const MatrixView<const float>& b, const MatrixView<float>& c) {
  kernels().multiply({a.data, a.stride, b.data, b.stride, c.data, c.stride, c.rows, a.columns, c.columns});
}

void multiply_microbatches(const MatrixView<const float>& a, const MatrixView<const float>& b,
                           const Microbatches& microbatches, std::span<float* const> results) {
  kernels().multiply_microbatches({a.data, a.stride, b.data, b.stride, microbatches.rows.data(),
                                   microbatches.merges.data(), microbatches.rows.size(), results.data(), a.columns,
                                   b.columns});
}

}  // namespace mnist_dist::nn
