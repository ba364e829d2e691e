// A tile of a product in registers, and how tiles cover a matrix: what all products are made of. For kernel_templates.hpp,
// whose rules hold here too.
#pragma once

#include "kernel_table.hpp"

// Compilers keep a tile in registers only where no index into it is a variable.
#if defined(__clang__)
#define MNIST_DIST_UNROLL _Pragma("unroll")
#else
#define MNIST_DIST_UNROLL _Pragma("GCC unroll 16")
#endif

namespace mnist_dist::nn {
namespace {

/// A block of the product: kRows rows of kVectors vectors, all in registers.
template <class Isa, int kRows, int kVectors>
struct Tile {
  typename Isa::Vector sums[kRows][kVectors];

  void clear() {
    for (auto& row : sums) {
      for (auto& sum : row) sum = Isa::zero();
    }
  }
  void load(const float* first, Size row_stride) {
    MNIST_DIST_UNROLL
    for (int i = 0; i < kRows; ++i) {
      MNIST_DIST_UNROLL
      for (int j = 0; j < kVectors; ++j) sums[i][j] = Isa::load(first + i * row_stride + j * Isa::kWidth);
    }
  }
  /// Every row of sums = row
  void set_rows_to(const float* row) {
    MNIST_DIST_UNROLL
    for (int j = 0; j < kVectors; ++j) {
      const typename Isa::Vector vector = Isa::load(row + j * Isa::kWidth);
      MNIST_DIST_UNROLL
      for (int i = 0; i < kRows; ++i) sums[i][j] = vector;
    }
  }
  /// sums = column row^T
  void set_to_outer_product(const float* column, const float* row) {
    MNIST_DIST_UNROLL
    for (int i = 0; i < kRows; ++i) {
      const typename Isa::Vector left = Isa::broadcast(column + i);
      MNIST_DIST_UNROLL
      for (int j = 0; j < kVectors; ++j) sums[i][j] = Isa::multiply(left, Isa::load(row + j * Isa::kWidth));
    }
  }
  /// sums += a^T b over `inner` steps; a steps by a_step and holds its rows a_row apart, b steps by b_step.
  void add_products(Size inner, const float* a, Size a_row, Size a_step, const float* b, Size b_step) {
    for (Size k = 0; k < inner; ++k, a += a_step, b += b_step) {
      typename Isa::Vector right[kVectors];
      MNIST_DIST_UNROLL
      for (int j = 0; j < kVectors; ++j) right[j] = Isa::load(b + j * Isa::kWidth);
      MNIST_DIST_UNROLL
      for (int i = 0; i < kRows; ++i) {
        const typename Isa::Vector left = Isa::broadcast(a + i * a_row);
        MNIST_DIST_UNROLL
        for (int j = 0; j < kVectors; ++j) sums[i][j] = Isa::multiply_add(left, right[j], sums[i][j]);
      }
    }
  }
  /// sums = earlier + sums
  void add_to(const float* earlier) {
    MNIST_DIST_UNROLL
    for (int i = 0; i < kRows; ++i) {
      MNIST_DIST_UNROLL
      for (int j = 0; j < kVectors; ++j) {
        sums[i][j] = Isa::add(Isa::load(earlier + (i * kVectors + j) * Isa::kWidth), sums[i][j]);
      }
    }
  }
  void store(float* first, Size row_stride) const {
    MNIST_DIST_UNROLL
    for (int i = 0; i < kRows; ++i) {
      MNIST_DIST_UNROLL
      for (int j = 0; j < kVectors; ++j) Isa::store(first + i * row_stride + j * Isa::kWidth, sums[i][j]);
    }
  }
};

/// Tiles of sums that wait for their brother. A sum that has none among what is added is not among them: it is stored.
template <class Isa, int kRows, int kVectors>
class WaitingTiles {
 public:
  /// sums = the last one that waits + sums, so many times
  void merge(unsigned merges, Tile<Isa, kRows, kVectors>& sums) {
    for (; merges > 0; --merges) sums.add_to(waiting_[--count_]);
  }
  void push(const Tile<Isa, kRows, kVectors>& sums) { sums.store(waiting_[count_++], kVectors * Isa::kWidth); }

 private:
  alignas(64) float waiting_[kMaxWaiting][kRows * kVectors * Isa::kWidth];
  Size count_ = 0;
};

/// The most rows whose tile fits the registers together with a vector of each operand.
template <class Isa>
constexpr int rows_of_tile(int vectors) {
  const int rows = (Isa::kRegisters - 1 - vectors) / vectors;
  return rows > Isa::kMaxRows ? Isa::kMaxRows : rows;
}

/// The last rows, fewer than a full tile's.
template <int kRows, int kVectors, class Compute>
void cover_last_rows(Size rows, Size row, Size column, const Compute& compute) {
  if constexpr (kRows > 0) {
    if (rows - row == kRows) {
      compute.template tile<kRows, kVectors>(row, column);
    } else {
      cover_last_rows<kRows - 1, kVectors>(rows, row, column, compute);
    }
  }
}

/// Covers a matrix with tiles, column block by column block, the last blocks narrower: compute.tile<rows, vectors>(first
/// row, first column) for each. @param columns a multiple of the vector's width
template <class Isa, int kVectors, class Compute>
void cover(Size rows, Size columns, Size column, const Compute& compute) {
  constexpr int kRows = Compute::rows_of_tile(kVectors);
  constexpr Size kWidth = Size{kVectors} * Isa::kWidth;
  for (; column + kWidth <= columns; column += kWidth) {
    Size row = 0;
    for (; row + kRows <= rows; row += kRows) compute.template tile<kRows, kVectors>(row, column);
    cover_last_rows<kRows - 1, kVectors>(rows, row, column, compute);
  }
  if constexpr (kVectors > 1) cover<Isa, kVectors - 1>(rows, columns, column, compute);
}

}  // namespace
}  // namespace mnist_dist::nn
