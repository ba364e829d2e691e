#include "kernels.hpp"

#include <algorithm>

#include "mnist_dist/core/hot_loop.hpp"

namespace mnist_dist::nn {
namespace {

static_assert(kRowsOfChunk == InputActivity::kRowsOfChunk && kInputsOfGroup == InputActivity::kInputsOfGroup);
static_assert(sizeof(Word) == sizeof(std::uint64_t));

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

Product product_of(const MatrixView<const float>& a, const MatrixView<const float>& b, const MatrixView<float>& c) {
  return {a.data, a.stride, b.data, b.stride, c.data, c.stride, c.rows, a.columns, c.columns};
}

/// Sets the bit of one row in the words of all groups in which it has a non-zero.
MNIST_DIST_HOT_LOOP void mark_active(const float* row, std::size_t groups, std::uint64_t bit, std::uint64_t* words) {
  for (std::size_t group = 0; group < groups; ++group) {
    const float* inputs = row + group * kInputsOfGroup;
    const bool active = (inputs[0] != 0.0F) | (inputs[1] != 0.0F) | (inputs[2] != 0.0F) | (inputs[3] != 0.0F);
    words[group] |= active ? bit : 0;
  }
}

/// The groups whose word has one of these bits.
unsigned list_active(const std::uint64_t* words, std::size_t groups, std::uint64_t bits, unsigned* list) {
  unsigned count = 0;
  for (std::size_t group = 0; group < groups; ++group) {
    list[count] = static_cast<unsigned>(group);
    count += (words[group] & bits) != 0 ? 1 : 0;
  }
  return count;
}

}  // namespace

void multiply_rows(const MatrixView<const float>& a, const MatrixView<const float>& b, const MatrixView<float>& c) {
  kernels().multiply(product_of(a, b, c));
}

void transpose(const MatrixView<const float>& from, const MatrixView<float>& to) {
  kernels().transpose({from.data, from.stride, to.data, to.stride, from.rows, from.columns});
}

void find_active(const MatrixView<const float>& inputs, const InputActivity& activity, ActiveGroups& active) {
  const std::size_t groups = (inputs.columns + kInputsOfGroup - 1) / kInputsOfGroup;
  const std::size_t tiles = (inputs.rows + kSparseRows - 1) / kSparseRows;
  active.groups.resize(tiles * activity.groups);
  active.counts.resize(tiles);
  for (std::size_t first = 0; first < inputs.rows; first += kRowsOfChunk) {
    std::uint64_t* words = activity.chunk(first / kRowsOfChunk);
    std::fill_n(words, activity.groups, 0);
    const std::size_t end = std::min(first + kRowsOfChunk, inputs.rows);
    for (std::size_t row = first; row < end; ++row) {
      mark_active(inputs.data + row * inputs.stride, groups, std::uint64_t{1} << (row - first), words);
    }
    for (std::size_t row = first; row < end; row += kSparseRows) {
      const std::uint64_t bits = ((std::uint64_t{1} << kSparseRows) - 1) << (row - first);
      const std::size_t tile = row / kSparseRows;
      active.counts[tile] = list_active(words, groups, bits, active.groups.data() + tile * activity.groups);
    }
  }
}

void multiply_sparse_rows(const MatrixView<const float>& a, const ActiveGroups& active,
                          const MatrixView<const float>& b, const MatrixView<float>& c) {
  const std::size_t groups = active.counts.empty() ? 0 : active.groups.size() / active.counts.size();
  kernels().multiply_sparse({product_of(a, b, c), active.groups.data(), active.counts.data(), groups});
}

void sum_gradients(const GradientSums& sums) {
  kernels().sum_gradients(sums);
}

}  // namespace mnist_dist::nn
