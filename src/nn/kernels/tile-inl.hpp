// A tile of a product in registers, and how tiles cover a matrix: what all products are made of. Compiled for each kind
// of vector (Highway's -inl headers: included once a target).
#if defined(MNIST_DIST_NN_TILE_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_NN_TILE_INL
#undef MNIST_DIST_NN_TILE_INL
#else
#define MNIST_DIST_NN_TILE_INL
#endif

#include <hwy/highway.h>

#include <cstddef>

// Compilers keep a tile in registers only where no index into it is a variable.
#undef MNIST_DIST_UNROLL
#if defined(__clang__)
#define MNIST_DIST_UNROLL _Pragma("unroll")
#else
#define MNIST_DIST_UNROLL _Pragma("GCC unroll 16")
#endif

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::nn::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;
constexpr std::size_t kWidth = hn::MaxLanes(Floats());

// AVX-512 and NEON have 32 registers. A few more count on AVX-512, since the compiler takes some operands from memory.
constexpr int kRegisters = kWidth == 16 ? 36 : 16;
constexpr int kMaxVectors = kWidth == 16 ? 7 : 2;
constexpr int kMaxRows = kWidth == 16 ? 12 : 6;

HWY_INLINE Vector load(const float* from) {
  return hn::LoadU(Floats(), from);
}
HWY_INLINE void store(const Vector& vector, float* to) {
  hn::StoreU(vector, Floats(), to);
}
HWY_INLINE Vector broadcast(const float* value) {
  return hn::Set(Floats(), *value);
}

/// A block of the product: kRows rows of kVectors vectors, all in registers.
template <int kRows, int kVectors>
struct Tile {
  Vector sums[kRows][kVectors];

  // Written out: GCC would compile an implicit one for the baseline, where NEON's vectors cannot be inlined.
  HWY_INLINE Tile() {}

  HWY_INLINE void clear() {
    MNIST_DIST_UNROLL
    for (int i = 0; i < kRows; ++i) {
      MNIST_DIST_UNROLL
      for (int j = 0; j < kVectors; ++j) sums[i][j] = hn::Zero(Floats());
    }
  }
  HWY_INLINE void load_from(const float* first, std::size_t row_stride) {
    MNIST_DIST_UNROLL
    for (int i = 0; i < kRows; ++i) {
      MNIST_DIST_UNROLL
      for (int j = 0; j < kVectors; ++j) sums[i][j] = load(first + i * row_stride + j * kWidth);
    }
  }
  /// sums = column row^T
  HWY_INLINE void set_to_outer_product(const float* column, const float* row) {
    MNIST_DIST_UNROLL
    for (int j = 0; j < kVectors; ++j) {
      const Vector right = load(row + j * kWidth);
      MNIST_DIST_UNROLL
      for (int i = 0; i < kRows; ++i) sums[i][j] = hn::Mul(broadcast(column + i), right);
    }
  }
  /// sums += column row^T, where the column's elements lie `step` apart
  HWY_INLINE void add_outer_product(const float* column, std::size_t step, const float* row) {
    Vector right[kVectors];
    MNIST_DIST_UNROLL
    for (int j = 0; j < kVectors; ++j) right[j] = load(row + j * kWidth);
    MNIST_DIST_UNROLL
    for (int i = 0; i < kRows; ++i) {
      const Vector left = broadcast(column + i * step);
      MNIST_DIST_UNROLL
      for (int j = 0; j < kVectors; ++j) sums[i][j] = hn::MulAdd(left, right[j], sums[i][j]);
    }
  }
  /// sums = earlier + sums
  HWY_INLINE void add_to(const float* earlier) {
    MNIST_DIST_UNROLL
    for (int i = 0; i < kRows; ++i) {
      MNIST_DIST_UNROLL
      for (int j = 0; j < kVectors; ++j) {
        sums[i][j] = hn::Add(load(earlier + (i * kVectors + j) * kWidth), sums[i][j]);
      }
    }
  }
  HWY_INLINE void store_to(float* first, std::size_t row_stride) const {
    MNIST_DIST_UNROLL
    for (int i = 0; i < kRows; ++i) {
      MNIST_DIST_UNROLL
      for (int j = 0; j < kVectors; ++j) store(sums[i][j], first + i * row_stride + j * kWidth);
    }
  }
};

/// The most rows whose tile fits the registers together with a vector of each operand.
constexpr int rows_of_tile(int vectors) {
  const int rows = (kRegisters - 1 - vectors) / vectors;
  return rows > kMaxRows ? kMaxRows : rows;
}

/// The last rows, fewer than a full tile's.
template <int kRows, int kVectors, class Compute>
void cover_last_rows(std::size_t rows, std::size_t row, std::size_t column, const Compute& compute) {
  if constexpr (kRows > 0) {
    if (rows - row == kRows) {
      compute.template tile<kRows, kVectors>(row, column);
    } else {
      cover_last_rows<kRows - 1, kVectors>(rows, row, column, compute);
    }
  }
}

/// Covers a matrix with tiles, column block by column block, the last blocks narrower: compute.tile<rows,
/// vectors>(first row, first column) for each. @param columns a multiple of the vector's width
template <int kVectors, class Compute>
void cover(std::size_t rows, std::size_t columns, std::size_t column, const Compute& compute) {
  constexpr int kRows = rows_of_tile(kVectors);
  constexpr std::size_t kColumns = kVectors * kWidth;
  for (; column + kColumns <= columns; column += kColumns) {
    std::size_t row = 0;
    for (; row + kRows <= rows; row += kRows) compute.template tile<kRows, kVectors>(row, column);
    cover_last_rows<kRows - 1, kVectors>(rows, row, column, compute);
  }
  if constexpr (kVectors > 1) cover<kVectors - 1>(rows, columns, column, compute);
}

}  // namespace mnist_dist::nn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
