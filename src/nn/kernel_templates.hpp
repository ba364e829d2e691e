// The kernels, for any kind of vector. Included by one source file per instruction set, which is compiled for it; so
// nothing here may be a function that another file could share (everything is in an unnamed namespace, and no standard
// header brings code along).
#pragma once

#include "kernel_table.hpp"

namespace mnist_dist::nn {
namespace {

using Size = decltype(sizeof 0);

/// A block of the product: kRows rows of kVectors vectors, all in registers.
template <class Isa, int kRows, int kVectors>
struct Tile {
  typename Isa::Vector sums[kRows][kVectors];

  void clear() {
    for (auto& row : sums) {
      for (auto& sum : row) sum = Isa::zero();
    }
  }
  /// sums += a^T b over `inner` steps; a steps by a_step and holds its rows a_row apart, b steps by b_step.
  void add_products(Size inner, const float* a, Size a_row, Size a_step, const float* b, Size b_step) {
    for (Size k = 0; k < inner; ++k, a += a_step, b += b_step) {
      typename Isa::Vector right[kVectors];
      for (int j = 0; j < kVectors; ++j) right[j] = Isa::load(b + j * Isa::kWidth);
      for (int i = 0; i < kRows; ++i) {
        const typename Isa::Vector left = Isa::broadcast(a + i * a_row);
        for (int j = 0; j < kVectors; ++j) sums[i][j] = Isa::multiply_add(left, right[j], sums[i][j]);
      }
    }
  }
  /// sums = earlier + sums
  void add_to(const float* earlier) {
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kVectors; ++j) {
        sums[i][j] = Isa::add(Isa::load(earlier + (i * kVectors + j) * Isa::kWidth), sums[i][j]);
      }
    }
  }
  void store(float* first, Size row_stride) const {
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kVectors; ++j) Isa::store(first + i * row_stride + j * Isa::kWidth, sums[i][j]);
    }
  }
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
  constexpr int kRows = rows_of_tile<Isa>(kVectors);
  constexpr Size kWidth = Size{kVectors} * Isa::kWidth;
  for (; column + kWidth <= columns; column += kWidth) {
    Size row = 0;
    for (; row + kRows <= rows; row += kRows) compute.template tile<kRows, kVectors>(row, column);
    cover_last_rows<kRows - 1, kVectors>(rows, row, column, compute);
  }
  if constexpr (kVectors > 1) cover<Isa, kVectors - 1>(rows, columns, column, compute);
}

template <class Isa>
struct ComputeProduct {
  const Product& p;

  template <int kRows, int kVectors>
  void tile(Size row, Size column) const {
    Tile<Isa, kRows, kVectors> tile;
    tile.clear();
    tile.add_products(p.inner, p.a + row * p.a_stride, p.a_stride, 1, p.b + column, p.b_stride);
    tile.store(p.c + row * p.c_stride + column, p.c_stride);
  }
};

template <class Isa>
struct ComputeMicrobatchSums {
  const MicrobatchProducts& p;

  template <int kRows, int kVectors>
  void tile(Size row, Size column) const {
    // The stack of sums that wait for their brother; its depth is the logarithm of the number of microbatches.
    alignas(64) float waiting[kMaxWaiting][kRows * kVectors * Isa::kWidth];
    Size depth = 0;
    const float* a = p.a + row;
    const float* b = p.b + column;
    for (Size microbatch = 0; microbatch < p.microbatches; ++microbatch) {
      Tile<Isa, kRows, kVectors> tile;
      tile.clear();
      tile.add_products(p.rows[microbatch], a, 1, p.a_stride, b, p.b_stride);
      a += p.rows[microbatch] * p.a_stride;
      b += p.rows[microbatch] * p.b_stride;
      for (unsigned merge = 0; merge < p.merges[microbatch]; ++merge) tile.add_to(waiting[--depth]);
      if (microbatch + 1 == p.microbatches) {
        tile.store(p.results[depth] + row * p.columns + column, p.columns);
      } else {
        tile.store(waiting[depth++], kVectors * Isa::kWidth);
      }
    }
    for (Size result = 0; result < depth; ++result) {
      for (int i = 0; i < kRows; ++i) {
        for (int j = 0; j < kVectors; ++j) {
          Isa::store(p.results[result] + (row + i) * p.columns + column + j * Isa::kWidth,
                     Isa::load(&waiting[result][(i * kVectors + j) * Isa::kWidth]));
        }
      }
    }
  }
};

template <class Isa>
KernelTable table_of() {
  return {[](const Product& p) { cover<Isa, Isa::kMaxVectors>(p.rows, p.columns, 0, ComputeProduct<Isa>{p}); },
          [](const MicrobatchProducts& p) {
            cover<Isa, Isa::kMaxVectors>(p.outputs, p.columns, 0, ComputeMicrobatchSums<Isa>{p});
          }};
}

}  // namespace
}  // namespace mnist_dist::nn
