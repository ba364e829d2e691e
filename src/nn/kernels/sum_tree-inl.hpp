// Adds tiles along the tree of microbatches (core/sum_tree.hpp), each formed when its turn comes. Compiled for each
// kind of vector.
#if defined(MNIST_DIST_NN_SUM_TREE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_NN_SUM_TREE_INL
#undef MNIST_DIST_NN_SUM_TREE_INL
#else
#define MNIST_DIST_NN_SUM_TREE_INL
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "gradient_sums.hpp"
#include "tile-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::nn::HWY_NAMESPACE {

/// sums = the sum of leaf(first), ..., leaf(first + kLeaves - 1) along a whole tree. The recursion ends at compile
/// time, so that all sums but those that wait stay in registers.
template <int kLeaves, int kRows, int kVectors, class Leaf>
HWY_INLINE void sum_whole_tree(std::size_t first, const Leaf& leaf, Tile<kRows, kVectors>& sums) {
  if constexpr (kLeaves == 1) {
    leaf(first, sums);
  } else {
    alignas(64) float left[kRows * kVectors * kWidth];
    sum_whole_tree<kLeaves / 2>(first, leaf, sums);
    sums.store_to(left, kVectors * kWidth);
    sum_whole_tree<kLeaves / 2>(first + kLeaves / 2, leaf, sums);
    sums.add_to(left);
  }
}

/// The same for any tree: after a leaf, the last two sums are added as often as its merges say.
template <int kRows, int kVectors, class Leaf>
HWY_INLINE void sum_any_tree(const TreeOfLeaves& tree, const Leaf& leaf, Tile<kRows, kVectors>& sums) {
  alignas(64) float waiting[TreeOfLeaves::kMaxWaiting][kRows * kVectors * kWidth];
  std::size_t count = 0;
  for (std::size_t i = 0;; ++i) {
    leaf(i, sums);
    for (std::uint8_t merges = tree.merges[i]; merges > 0; --merges) sums.add_to(waiting[--count]);
    if (i + 1 == tree.count) return;
    sums.store_to(waiting[count++], kVectors * kWidth);
  }
}

/// Calls leaf(index, sums), which sets sums to a leaf's, for each leaf, and adds them. There is a leaf at least.
template <int kRows, int kVectors, class Leaf>
HWY_INLINE void sum_leaves(const TreeOfLeaves& tree, const Leaf& leaf, Tile<kRows, kVectors>& sums) {
  switch (tree.whole_levels) {
    case 0:
      return sum_whole_tree<1>(0, leaf, sums);
    case 1:
      return sum_whole_tree<2>(0, leaf, sums);
    case 2:
      return sum_whole_tree<4>(0, leaf, sums);
    case 3:
      return sum_whole_tree<8>(0, leaf, sums);
    default:
      return sum_any_tree(tree, leaf, sums);
  }
}

}  // namespace mnist_dist::nn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
