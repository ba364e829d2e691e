#include "gradient_sums.hpp"

#include <algorithm>

#include "mnist_dist/core/aligned_vector.hpp"
#include "mnist_dist/core/error.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nn/kernels/gradient_sums.cpp"
// clang-format off
#include "targets-inl.hpp"  // before all others below: it includes this file once a target
// clang-format on

#include "pixel_decoding-inl.hpp"
#include "sum_tree-inl.hpp"
#include "tile-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::nn::HWY_NAMESPACE {

constexpr std::size_t kGroup = PixelLists::kInputsOfGroup;
// Four rows of sums of so many vectors stay in registers, with the pixels and what is multiplied.
constexpr int kVectorsOfGroup = kWidth == 16 ? 4 : 2;

template <int kRows, int kVectors>
struct FormDenseLeaf {
  const DenseGradient& p;
  std::size_t row;
  std::size_t column;

  HWY_INLINE void operator()(std::size_t index, Tile<kRows, kVectors>& sums) const {
    const DenseLeaf& leaf = p.leaves[index];
    const float* inputs = leaf.inputs + row;
    const float* deltas = leaf.deltas + column;
    sums.clear();
    for (std::size_t i = 0; i < leaf.rows; ++i, inputs += leaf.inputs_stride, deltas += p.deltas_stride) {
      sums.add_outer_product(inputs, 1, deltas);
    }
  }
};

struct ComputeDenseGradient {
  const DenseGradient& p;
  const TreeOfLeaves& tree;

  template <int kRows, int kVectors>
  HWY_INLINE void tile(std::size_t row, std::size_t column) const {
    Tile<kRows, kVectors> sums;
    sum_any_tree(tree, FormDenseLeaf<kRows, kVectors>{p, row, column}, sums);
    sums.store_to(p.sum + row * p.sum_stride + column, p.sum_stride);
  }
};

void sum_dense_gradient(const DenseGradient& p, const TreeOfLeaves& tree) {
  cover<kMaxVectors>(p.inputs, p.columns, 0, ComputeDenseGradient{p, tree});
}

/// The entries of a group that belong to a microbatch.
struct LeafEntries {
  const std::uint32_t* rows;
  const float* pixels;  ///< by entry [kGroup]
  std::size_t count;
};

template <int kVectors>
struct FormPixelLeaf {
  const PixelGradient& p;
  const LeafEntries* entries;
  const float* negative_mean;
  std::size_t column;

  HWY_INLINE void operator()(std::size_t index, Tile<int{kGroup}, kVectors>& sums) const {
    const PixelLeaf& leaf = p.leaves[index];
    const LeafEntries& of_leaf = entries[index];
    sums.set_to_outer_product(negative_mean, leaf.delta_sums + column);
    for (std::size_t i = 0; i < of_leaf.count; ++i) {
      sums.add_outer_product(of_leaf.pixels + kGroup * i, 1, leaf.deltas + of_leaf.rows[i] * p.deltas_stride + column);
    }
  }
};

template <int kVectors>
HWY_INLINE void sum_group(const PixelGradient& p, const TreeOfLeaves& tree, const LeafEntries* entries,
                          std::size_t input, std::size_t column) {
  constexpr std::size_t kColumns = kVectors * kWidth;
  const float* negative_mean = p.negative_mean + p.first_group * kGroup + input;
  for (; column + kColumns <= p.columns; column += kColumns) {
    Tile<int{kGroup}, kVectors> sums;
    sum_leaves(tree, FormPixelLeaf<kVectors>{p, entries, negative_mean, column}, sums);
    float* const to = p.sum + input * p.columns + column;
    if (input + kGroup <= p.inputs) {
      sums.store_to(to, p.columns);
    } else {
      alignas(64) float rows[kGroup * kColumns];
      sums.store_to(rows, kColumns);
      for (std::size_t i = 0; input + i < p.inputs; ++i) std::copy_n(rows + i * kColumns, kColumns, to + i * p.columns);
    }
  }
  if constexpr (kVectors > 1) sum_group<kVectors - 1>(p, tree, entries, input, column);
}

/// Finds the entries of each leaf in one group, and decodes their pixels. @param pixels room for all entries of the
/// group
HWY_INLINE void find_entries(const PixelGradient& p, std::size_t group, float* pixels, LeafEntries* found) {
  const PixelLists* lists = nullptr;
  std::uint32_t entry = 0;
  std::uint32_t end = 0;
  const float* decoded = nullptr;  // of `entry`
  for (std::size_t i = 0; i < p.leaves.size(); ++i) {
    const PixelLeaf& leaf = p.leaves[i];
    if (leaf.lists != lists) {
      lists = leaf.lists;
      entry = lists->begins[group];
      end = lists->begins[group + 1];
      decode_pixels(lists->pixels + entry, end - entry, pixels);
      decoded = pixels;
      pixels += kGroup * (end - entry);
    }
    while (entry < end && lists->rows[entry] < leaf.first_row) {
      ++entry;
      decoded += kGroup;
    }
    found[i] = {lists->rows + entry, decoded, 0};
    while (entry < end && lists->rows[entry] < leaf.end_row) ++entry;
    found[i].count = static_cast<std::size_t>(lists->rows + entry - found[i].rows);
    decoded += kGroup * found[i].count;
  }
}

void sum_pixel_gradient(const PixelGradient& p, const TreeOfLeaves& tree) {
  thread_local std::vector<LeafEntries> entries;
  thread_local AlignedVector<float> pixels;
  std::size_t most_entries = 0;
  for (std::size_t input = 0; input < p.inputs; input += kGroup) {
    const std::size_t group = p.first_group + input / kGroup;
    std::size_t count = 0;
    const PixelLists* lists = nullptr;
    for (const PixelLeaf& leaf : p.leaves) {
      if (leaf.lists != lists) count += leaf.lists->begins[group + 1] - leaf.lists->begins[group];
      lists = leaf.lists;
    }
    most_entries = std::max(most_entries, count);
  }
  entries.resize(p.leaves.size());
  pixels.resize(std::max(pixels.size(), kGroup * most_entries + kWidth));
  for (std::size_t input = 0; input < p.inputs; input += kGroup) {
    find_entries(p, p.first_group + input / kGroup, pixels.data(), entries.data());
    sum_group<kVectorsOfGroup>(p, tree, entries.data(), input, 0);
  }
}

struct TakeRow {
  std::span<const float* const> rows;
  std::size_t column;
  template <int kVectors>
  HWY_INLINE void operator()(std::size_t index, Tile<1, kVectors>& sums) const {
    sums.load_from(rows[index] + column, 0);
  }
};

void sum_rows(std::span<const float* const> rows, const TreeOfLeaves& tree, std::size_t columns, float* sum) {
  for (std::size_t column = 0; column < columns; column += kWidth) {
    Tile<1, 1> sums;
    sum_any_tree(tree, TakeRow{rows, column}, sums);
    sums.store_to(sum + column, 0);
  }
}

}  // namespace mnist_dist::nn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mnist_dist::nn {
HWY_EXPORT(sum_dense_gradient);
HWY_EXPORT(sum_pixel_gradient);
HWY_EXPORT(sum_rows);

namespace {

// Rows of more columns than these lie too far apart for the caches: what is gone through again and again is packed
// first, panel by panel.
constexpr std::size_t kSmallColumns = 512;
constexpr std::size_t kPanel = 48;

/// to [rows x columns], without gaps
void pack_columns(const float* from, std::size_t stride, std::size_t rows, std::size_t columns, float* to) {
  for (std::size_t row = 0; row < rows; ++row) std::copy_n(from + row * stride, columns, to + row * columns);
}

}  // namespace

TreeOfLeaves::TreeOfLeaves(std::span<const std::uint8_t> merges_of_leaves)
    : merges(merges_of_leaves.data()), count(merges_of_leaves.size()), whole_levels(kNotWhole) {
  std::size_t waiting = 0;
  bool fits = true;
  bool is_whole = true;
  for (std::size_t i = 0; i < count; ++i) {
    fits = fits && merges[i] <= waiting;
    waiting = waiting - std::min<std::size_t>(waiting, merges[i]) + 1;
    fits = fits && waiting <= kMaxWaiting;
    is_whole = is_whole && merges[i] == hwy::Num0BitsBelowLS1Bit_Nonzero64(i + 1);
  }
  if (!fits || waiting != 1) throw Error(ExitCode::bug, "the sums of a block's microbatches do not end in one");
  if (is_whole) whole_levels = merges[count - 1];
}

void sum_gradient(const DenseGradient& gradient, const TreeOfLeaves& tree) {
  if (gradient.columns <= kSmallColumns) {
    HWY_DYNAMIC_DISPATCH(sum_dense_gradient)(gradient, tree);
    return;
  }
  std::size_t rows = 0;
  for (const DenseLeaf& leaf : gradient.leaves) rows += leaf.rows;
  thread_local AlignedVector<float> packed;
  packed.resize(rows * kPanel);
  std::vector<DenseLeaf> leaves(gradient.leaves.begin(), gradient.leaves.end());
  for (std::size_t column = 0; column < gradient.columns; column += kPanel) {
    const std::size_t columns = std::min(kPanel, gradient.columns - column);
    float* next = packed.data();
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      pack_columns(gradient.leaves[i].deltas + column, gradient.deltas_stride, leaves[i].rows, columns, next);
      leaves[i].deltas = next;
      next += leaves[i].rows * columns;
    }
    DenseGradient part = gradient;
    part.leaves = leaves;
    part.deltas_stride = columns;
    part.columns = columns;
    part.sum = gradient.sum + column;
    HWY_DYNAMIC_DISPATCH(sum_dense_gradient)(part, tree);
  }
}

void sum_gradient(const PixelGradient& gradient, const TreeOfLeaves& tree) {
  HWY_DYNAMIC_DISPATCH(sum_pixel_gradient)(gradient, tree);
}

void sum_rows_along_tree(std::span<const float* const> rows, const TreeOfLeaves& tree, std::size_t columns,
                         float* sum) {
  HWY_DYNAMIC_DISPATCH(sum_rows)(rows, tree, columns, sum);
}

}  // namespace mnist_dist::nn
#endif
