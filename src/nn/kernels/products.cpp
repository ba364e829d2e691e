#include "products.hpp"

#include <algorithm>

#include "mnist_dist/core/aligned_vector.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nn/kernels/products.cpp"
// clang-format off
#include "targets-inl.hpp"  // before all others below: it includes this file once a target
// clang-format on

#include "tile-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::nn::HWY_NAMESPACE {

// A piece of a large right factor is packed into a small buffer: so many inner steps of so many columns.
constexpr std::size_t kPackedSteps = 512;
constexpr int kPackedVectors = 3;
constexpr std::size_t kPackedColumns = kPackedVectors * kWidth;

/// c = a b, or c += a b
struct ComputeProduct {
  const MatrixView<const float>& a;
  const MatrixView<const float>& b;
  const MatrixView<float>& c;
  bool adds;

  template <int kRows, int kVectors>
  HWY_INLINE void tile(std::size_t row, std::size_t column) const {
    Tile<kRows, kVectors> sums;
    float* const to = c.data + row * c.stride + column;
    if (adds) {
      sums.load_from(to, c.stride);
    } else {
      sums.clear();
    }
    const float* left = a.data + row * a.stride;
    const float* right = b.data + column;
    for (std::size_t k = 0; k < a.columns; ++k, ++left, right += b.stride)
      sums.add_outer_product(left, a.stride, right);
    sums.store_to(to, c.stride);
  }
};

void multiply(const MatrixView<const float>& a, const MatrixView<const float>& b, const MatrixView<float>& c) {
  cover<kMaxVectors>(c.rows, c.columns, 0, ComputeProduct{a, b, c, false});
}

#if HWY_TARGET == HWY_SCALAR
void transpose_square(const float* from, std::size_t /*from_stride*/, float* to, std::size_t /*to_stride*/) {
  *to = *from;
}
#else
/// Four rows of four become four columns.
HWY_INLINE void transpose_square(const float* from, std::size_t from_stride, float* to, std::size_t to_stride) {
  const hn::FixedTag<float, 4> tag;
  const auto row_0 = hn::LoadU(tag, from);
  const auto row_1 = hn::LoadU(tag, from + from_stride);
  const auto row_2 = hn::LoadU(tag, from + 2 * from_stride);
  const auto row_3 = hn::LoadU(tag, from + 3 * from_stride);
  const auto low_02 = hn::InterleaveLower(tag, row_0, row_2);
  const auto low_13 = hn::InterleaveLower(tag, row_1, row_3);
  const auto high_02 = hn::InterleaveUpper(tag, row_0, row_2);
  const auto high_13 = hn::InterleaveUpper(tag, row_1, row_3);
  hn::StoreU(hn::InterleaveLower(tag, low_02, low_13), tag, to);
  hn::StoreU(hn::InterleaveUpper(tag, low_02, low_13), tag, to + to_stride);
  hn::StoreU(hn::InterleaveLower(tag, high_02, high_13), tag, to + 2 * to_stride);
  hn::StoreU(hn::InterleaveUpper(tag, high_02, high_13), tag, to + 3 * to_stride);
}
#endif

void transpose(const MatrixView<const float>& from, const MatrixView<float>& to) {
  constexpr std::size_t kSquare = HWY_TARGET == HWY_SCALAR ? 1 : 4;
  const std::size_t rows = from.rows / kSquare * kSquare;
  const std::size_t columns = from.columns / kSquare * kSquare;
  for (std::size_t row = 0; row < rows; row += kSquare) {
    for (std::size_t column = 0; column < columns; column += kSquare) {
      transpose_square(from.data + row * from.stride + column, from.stride, to.data + column * to.stride + row,
                       to.stride);
    }
  }
  for (std::size_t row = 0; row < from.rows; ++row) {
    for (std::size_t column = row < rows ? columns : 0; column < from.columns; ++column) {
      to.data[column * to.stride + row] = from.data[row * from.stride + column];
    }
  }
}

/// packed [steps x kPackedColumns] = the columns [column, column + columns) of b over some of its rows
void pack(const MatrixView<const float>& b, std::size_t first, std::size_t steps, std::size_t column,
          std::size_t columns, float* packed) {
  for (std::size_t step = 0; step < steps; ++step) {
    std::copy_n(b.data + (first + step) * b.stride + column, columns, packed + step * kPackedColumns);
  }
}

/// The same of the transpose of b; what b lacks is zero.
void pack_transposed(const MatrixView<const float>& b, std::size_t first, std::size_t steps, std::size_t column,
                     std::size_t columns, float* packed) {
  const std::size_t there = std::min(columns, b.rows > column ? b.rows - column : 0);
  transpose({b.data + column * b.stride + first, there, steps, b.stride}, {packed, steps, there, kPackedColumns});
  for (std::size_t step = 0; step < steps; ++step) {
    std::fill(packed + step * kPackedColumns + there, packed + step * kPackedColumns + columns, 0.0F);
  }
}

/// Each element is still one chain of multiply-adds in ascending order: it only rests in c between two pieces.
void multiply_large(const MatrixView<const float>& a, const MatrixView<const float>& b, bool is_transposed,
                    const MatrixView<float>& c) {
  thread_local AlignedVector<float> packed(kPackedSteps * kPackedColumns);
  for (std::size_t first = 0; first < a.columns; first += kPackedSteps) {
    const std::size_t steps = std::min(kPackedSteps, a.columns - first);
    const MatrixView<const float> left(a.data + first, a.rows, steps, a.stride);
    for (std::size_t column = 0; column < c.columns; column += kPackedColumns) {
      const std::size_t columns = std::min(kPackedColumns, c.columns - column);
      (is_transposed ? pack_transposed : pack)(b, first, steps, column, columns, packed.data());
      const MatrixView<const float> right(packed.data(), steps, columns, kPackedColumns);
      const MatrixView<float> part(c.data + column, c.rows, columns, c.stride);
      cover<kPackedVectors>(c.rows, columns, 0, ComputeProduct{left, right, part, first > 0});
    }
  }
}

}  // namespace mnist_dist::nn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mnist_dist::nn {
HWY_EXPORT(multiply);
HWY_EXPORT(multiply_large);
HWY_EXPORT(transpose);

void multiply_rows(const MatrixView<const float>& a, const MatrixView<const float>& b, const MatrixView<float>& c) {
  HWY_DYNAMIC_DISPATCH(multiply)(a, b, c);
}

void multiply_rows_by_large(const MatrixView<const float>& a, const MatrixView<const float>& b,
                            const MatrixView<float>& c) {
  HWY_DYNAMIC_DISPATCH(multiply_large)(a, b, false, c);
}

void multiply_rows_by_large_transposed(const MatrixView<const float>& a, const MatrixView<const float>& b,
                                       const MatrixView<float>& c) {
  HWY_DYNAMIC_DISPATCH(multiply_large)(a, b, true, c);
}

void transpose(const MatrixView<const float>& from, const MatrixView<float>& to) {
  HWY_DYNAMIC_DISPATCH(transpose)(from, to);
}

}  // namespace mnist_dist::nn
#endif
