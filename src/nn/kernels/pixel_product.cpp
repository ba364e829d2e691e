#include "pixel_product.hpp"

#include <algorithm>
#include <vector>

#include "mnist_dist/core/aligned_vector.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nn/kernels/pixel_product.cpp"
// clang-format off
#include "targets-inl.hpp"  // before all others below: it includes this file once a target
// clang-format on

#include "pixel_decoding-inl.hpp"
#include "tile-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::nn::HWY_NAMESPACE {

constexpr std::size_t kGroup = PixelLists::kInputsOfGroup;
// So many rows' sums of so many columns stay in a core's cache while all groups are gone through.
constexpr std::size_t kRowsAtOnce = 128;
constexpr std::size_t kColumnsAtOnce = 128;
// Four rows of weights of so many vectors stay in registers.
constexpr int kVectorsOfGroup = kWidth == 16 ? 4 : 2;

/// What a group of inputs brings to the product.
struct Group {
  const float* weights[kGroup];
  const float* scale;
  const float* negative_mean;  ///< null where the row of the means is done
  const std::uint32_t* rows;   ///< by entry
  const float* pixels;         ///< by entry [kGroup]
  std::size_t entries;
};

template <int kVectors>
HWY_INLINE void add_row(const float* pixels, const Vector (&weights)[kGroup][kVectors], float* sums) {
  Vector left[kGroup];
  MNIST_DIST_UNROLL
  for (std::size_t i = 0; i < kGroup; ++i) left[i] = broadcast(pixels + i);
  MNIST_DIST_UNROLL
  for (int j = 0; j < kVectors; ++j) {
    Vector sum = load(sums + j * kWidth);
    MNIST_DIST_UNROLL
    for (std::size_t i = 0; i < kGroup; ++i) sum = hn::MulAdd(left[i], weights[i][j], sum);
    store(sum, sums + j * kWidth);
  }
}

template <int kVectors>
HWY_INLINE void add_group(const PixelProduct& p, const Group& group, std::size_t column) {
  Vector weights[kGroup][kVectors];
  MNIST_DIST_UNROLL
  for (std::size_t i = 0; i < kGroup; ++i) {
    const Vector scale = broadcast(group.scale + i);
    MNIST_DIST_UNROLL
    for (int j = 0; j < kVectors; ++j) {
      weights[i][j] = hn::Mul(scale, load(group.weights[i] + column + j * kWidth));
    }
  }
  for (std::size_t entry = 0; entry < group.entries; ++entry) {
    add_row<kVectors>(group.pixels + kGroup * entry, weights, p.sums + group.rows[entry] * p.sums_stride + column);
  }
  if (group.negative_mean != nullptr) add_row<kVectors>(group.negative_mean, weights, p.mean_sum + column);
}

template <int kVectors>
HWY_INLINE void add_group_to_columns(const PixelProduct& p, const Group& group, std::size_t column, std::size_t end) {
  constexpr std::size_t kColumns = kVectors * kWidth;
  for (; column + kColumns <= end; column += kColumns) add_group<kVectors>(p, group, column);
  if constexpr (kVectors > 1) add_group_to_columns<kVectors - 1>(p, group, column, end);
}

/// Where in each group's entries the rows from `first` on begin, given where earlier rows do.
void advance(const PixelLists& lists, std::size_t first, std::vector<std::uint32_t>& begins) {
  for (std::size_t group = 0; group < lists.groups; ++group) {
    while (begins[group] < lists.begins[group + 1] && lists.rows[begins[group]] < first) ++begins[group];
  }
}

void multiply_pixels(const PixelProduct& p) {
  alignas(64) float pixels[kGroup * kRowsAtOnce + kWidth];
  thread_local std::vector<std::uint32_t> begins;
  thread_local std::vector<std::uint32_t> ends;
  begins.assign(p.lists.begins, p.lists.begins + p.lists.groups);
  ends = begins;
  std::fill_n(p.mean_sum, p.columns, 0.0F);
  for (std::size_t first = 0; first < p.rows; first += kRowsAtOnce, begins = ends) {
    const std::size_t end = std::min(first + kRowsAtOnce, p.rows);
    for (std::size_t row = first; row < end; ++row) std::fill_n(p.sums + row * p.sums_stride, p.columns, 0.0F);
    advance(p.lists, end, ends);
    for (std::size_t column = 0; column < p.columns; column += kColumnsAtOnce) {
      for (std::size_t index = 0; index < p.lists.groups; ++index) {
        Group group{.weights = {},
                    .scale = p.scale + index * kGroup,
                    .negative_mean = first == 0 ? p.negative_mean + index * kGroup : nullptr,
                    .rows = p.lists.rows + begins[index],
                    .pixels = pixels,
                    .entries = ends[index] - begins[index]};
        // A last group that lacks inputs takes the last one instead, times pixels and scales that are zero.
        for (std::size_t i = 0; i < kGroup; ++i) {
          group.weights[i] = p.weights + std::min(index * kGroup + i, p.inputs - 1) * p.columns;
        }
        decode_pixels(p.lists.pixels + begins[index], group.entries, pixels);
        add_group_to_columns<kVectorsOfGroup>(p, group, column, std::min(column + kColumnsAtOnce, p.columns));
      }
    }
  }
}

}  // namespace mnist_dist::nn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mnist_dist::nn {
HWY_EXPORT(multiply_pixels);
void multiply_pixels(const PixelProduct& product) {
  HWY_DYNAMIC_DISPATCH(multiply_pixels)(product);
}
}  // namespace mnist_dist::nn
#endif
