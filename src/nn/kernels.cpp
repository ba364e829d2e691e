#include "kernels.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "mnist_dist/core/aligned_vector.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/hot_loop.hpp"
#include "mnist_dist/nn/kernel_info.hpp"

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

// Rows of more columns than these are packed, panel by panel, before they are gone through again and again: they lie too
// far apart for the caches. The widths of the panels are those of the kernels' tiles.
constexpr std::size_t kSmallColumns = 512;
constexpr std::size_t kSparsePanel = 112;
constexpr std::size_t kDensePanel = 48;

/// to [rows x columns], without gaps
void pack_columns(const float* from, std::size_t stride, std::size_t rows, std::size_t columns, float* to) {
  for (std::size_t row = 0; row < rows; ++row) std::copy_n(from + row * stride, columns, to + row * columns);
}

/// Where the leaves of each sum end that is left when the last two are added merges_of(leaf) times after each leaf.
/// @param places how many sums there is room for
template <class MergesOf>
std::vector<Size> sum_ends(std::size_t leaves, std::size_t places, const MergesOf& merges_of) {
  std::vector<Size> ends;
  ends.reserve(leaves);
  for (std::size_t leaf = 0; leaf < leaves; ++leaf) {
    const std::size_t merges = merges_of(leaf);
    if (merges > ends.size()) throw Error(ExitCode::bug, fmt::format("{} sums for {} merges", ends.size(), merges));
    ends.resize(ends.size() - merges);
    ends.push_back(leaf + 1);
  }
  if (ends.size() != places) throw Error(ExitCode::bug, fmt::format("{} sums for {} places", ends.size(), places));
  // A sum that no later one is added to does not wait. The others are those of one node's descendants, one a level.
  std::size_t leaf = 0;
  for (const Size end : ends) {
    for (std::size_t waiting = 0; leaf < end; ++leaf) {
      waiting = waiting + 1 - merges_of(leaf);
      if (waiting > kMaxWaiting) throw Error(ExitCode::bug, fmt::format("more than {} sums wait", kMaxWaiting));
    }
  }
  return ends;
}

float* room_for_packing() {
  thread_local AlignedVector<float> room(kPackedFloats);
  return room.data();
}

/// Sets the bit of one row in the words of all groups in which it has a non-zero.
MNIST_DIST_HOT_LOOP void mark_row(const float* row, std::size_t groups, std::uint64_t bit, std::uint64_t* words) {
  for (std::size_t group = 0; group < groups; ++group) {
    const float* inputs = row + group * kInputsOfGroup;
    const bool active = (inputs[0] != 0.0F) | (inputs[1] != 0.0F) | (inputs[2] != 0.0F) | (inputs[3] != 0.0F);
    words[group] |= active ? bit : 0;
  }
}

/// Lists what is marked.
void list_active(std::size_t rows, const InputActivity& activity, std::span<const std::size_t> bounds,
                 ActiveGroups& active) {
  const std::size_t tiles = (rows + kSparseRows - 1) / kSparseRows;
  active.groups.resize(tiles * activity.groups);
  active.ends.resize(tiles * (bounds.size() - 1));
  unsigned* end = active.ends.data();
  for (std::size_t tile = 0; tile < tiles; ++tile) {
    const std::size_t row = tile * kSparseRows;
    const std::uint64_t* words = activity.chunk(row / kRowsOfChunk);
    const std::uint64_t bits = ((std::uint64_t{1} << kSparseRows) - 1) << row % kRowsOfChunk;
    unsigned* list = active.groups.data() + tile * activity.groups;
    unsigned count = 0;
    for (std::size_t segment = 1; segment < bounds.size(); ++segment) {
      for (std::size_t group = bounds[segment - 1]; group < bounds[segment]; ++group) {
        list[count] = static_cast<unsigned>(group);
        count += (words[group] & bits) != 0 ? 1 : 0;
      }
      *end++ = count;
    }
  }
}

}  // namespace

std::string kernel_vectors() {
  return kernels().vectors;
}

std::string kernel_arithmetic() {
  return kernels().fused ? "fused multiply-add" : "multiply, then add";
}

void multiply_rows(const MatrixView<const float>& a, const MatrixView<const float>& b, const MatrixView<float>& c) {
  kernels().multiply(product_of(a, b, c));
}

void multiply_rows_by_large(const MatrixView<const float>& a, const MatrixView<const float>& b,
                            const MatrixView<float>& c) {
  kernels().multiply_large({product_of(a, b, c), 0, room_for_packing()});
}

void multiply_rows_by_large_transposed(const MatrixView<const float>& a, const MatrixView<const float>& b,
                                       const MatrixView<float>& c) {
  kernels().multiply_large({product_of(a, b, c), b.rows, room_for_packing()});
}

void transpose(const MatrixView<const float>& from, const MatrixView<float>& to) {
  kernels().transpose({from.data, from.stride, to.data, to.stride, from.rows, from.columns});
}

void mark_active(const MatrixView<const float>& inputs, const InputActivity& activity) {
  const std::size_t groups = (inputs.columns + kInputsOfGroup - 1) / kInputsOfGroup;
  for (std::size_t first = 0; first < inputs.rows; first += kRowsOfChunk) {
    std::uint64_t* words = activity.chunk(first / kRowsOfChunk);
    std::fill_n(words, activity.groups, 0);
    const std::size_t end = std::min(first + kRowsOfChunk, inputs.rows);
    for (std::size_t row = first; row < end; ++row) {
      mark_row(inputs.data + row * inputs.stride, groups, std::uint64_t{1} << (row - first), words);
    }
  }
}

void multiply_segments(const SegmentProduct& product, ActiveGroups& active) {
  if (product.a.rows == 0) return;
  list_active(product.a.rows, product.activity, product.bounds, active);
  const std::size_t columns = product.b.columns;
  const std::vector<Size> ends = sum_ends(product.merges.size(), product.sums.size(),
                                          [&](std::size_t segment) { return product.merges[segment]; });
  std::vector<float*> places;
  for (const MatrixView<float>& sum : product.sums) places.push_back(sum.data);
  SparseProduct part{.a = product.a.data,
                     .a_stride = product.a.stride,
                     .b = product.b.data,
                     .b_stride = product.b.stride,
                     .active_groups = active.groups.data(),
                     .active_ends = active.ends.data(),
                     .groups = product.activity.groups,
                     .segments = product.merges.size(),
                     .starts = product.starts.data,
                     .starts_stride = product.starts.stride,
                     .merges = product.merges.data(),
                     .sum_ends = ends.data(),
                     .sums = places.data(),
                     .sums_stride = product.sums.front().stride,
                     .rows = product.a.rows,
                     .inner = product.a.columns,
                     .columns = columns};
  if (columns <= kSmallColumns) {
    kernels().multiply_sparse(part);
    return;
  }
  thread_local AlignedVector<float> packed;
  packed.resize(product.a.columns * kSparsePanel);
  part.b = packed.data();
  const std::size_t first_input = product.bounds.front() * kInputsOfGroup;
  const std::size_t end_input = std::min(product.bounds.back() * kInputsOfGroup, product.a.columns);
  for (std::size_t column = 0; column < columns; column += kSparsePanel) {
    part.columns = std::min(kSparsePanel, columns - column);
    part.b_stride = part.columns;
    pack_columns(product.b.data + first_input * product.b.stride + column, product.b.stride, end_input - first_input,
                 part.columns, packed.data() + first_input * part.columns);
    if (part.starts != nullptr) part.starts = product.starts.data + column;
    for (std::size_t i = 0; i < places.size(); ++i) places[i] = product.sums[i].data + column;
    kernels().multiply_sparse(part);
  }
}

void sum_gradients(GradientSums sums, std::span<float* const> places) {
  const std::vector<Size> ends =
      sum_ends(sums.count, places.size(), [&](std::size_t i) { return sums.microbatches[i].merges; });
  sums.sum_ends = ends.data();
  sums.sums = places.data();
  if (sums.columns <= kSmallColumns || sums.count == 0) {
    kernels().sum_gradients(sums);
    return;
  }
  const std::size_t panel = sums.microbatches[0].activity != nullptr ? kSparsePanel : kDensePanel;
  std::vector<GradientMicrobatch> microbatches(sums.microbatches, sums.microbatches + sums.count);
  std::size_t rows = 0;
  for (const GradientMicrobatch& microbatch : microbatches) rows += microbatch.rows;
  thread_local AlignedVector<float> packed;
  packed.resize(rows * panel);
  std::vector<float*> panel_places(places.size());
  GradientSums part = sums;
  part.microbatches = microbatches.data();
  part.sums = panel_places.data();
  for (std::size_t column = 0; column < sums.columns; column += panel) {
    part.columns = std::min(panel, sums.columns - column);
    part.deltas_stride = part.columns;
    float* next = packed.data();
    for (std::size_t i = 0; i < sums.count; ++i) {
      const GradientMicrobatch& whole = sums.microbatches[i];
      pack_columns(whole.deltas + column, sums.deltas_stride, whole.rows, part.columns, next);
      microbatches[i].deltas = next;
      microbatches[i].delta_sums = whole.delta_sums + column;
      next += whole.rows * part.columns;
    }
    for (std::size_t i = 0; i < places.size(); ++i) panel_places[i] = places[i] + column;
    part.written_next = sums.written_next == nullptr ? nullptr : sums.written_next + column;
    kernels().sum_gradients(part);
  }
}

}  // namespace mnist_dist::nn
