// The product with a matrix that is larger than a cache, piece by piece, each packed into a small buffer first; and the
// transposition, which packing needs. For kernel_templates.hpp, whose rules hold here too.
#pragma once

#include "kernel_tile.hpp"

namespace mnist_dist::nn {
namespace {

template <class Isa>
void transpose(const Transposition& t) {
  constexpr Size kSquare = Isa::kSquare;
  const Size square_rows = t.rows / kSquare * kSquare;
  const Size square_columns = t.columns / kSquare * kSquare;
  for (Size row = 0; row < square_rows; row += kSquare) {
    for (Size column = 0; column < square_columns; column += kSquare) {
      Isa::transpose_square(t.from + row * t.from_stride + column, t.from_stride, t.to + column * t.to_stride + row,
                            t.to_stride);
    }
  }
  for (Size row = 0; row < t.rows; ++row) {
    for (Size column = row < square_rows ? square_columns : 0; column < t.columns; ++column) {
      t.to[column * t.to_stride + row] = t.from[row * t.from_stride + column];
    }
  }
}

/// A product over some of the inner steps, added to what c holds already unless they are the first.
template <class Isa>
struct ComputePartOfProduct {
  const Product& p;
  bool is_first;

  static constexpr int rows_of_tile(int vectors) { return nn::rows_of_tile<Isa>(vectors); }
  template <int kRows, int kVectors>
  void tile(Size row, Size column) const {
    Tile<Isa, kRows, kVectors> tile;
    float* c = p.c + row * p.c_stride + column;
    if (is_first) {
      tile.clear();
    } else {
      tile.load(c, p.c_stride);
    }
    tile.add_products(p.inner, p.a + row * p.a_stride, p.a_stride, 1, p.b + column, p.b_stride);
    tile.store(c, p.c_stride);
  }
};

template <class Isa>
void pack_transposed(const LargeProduct& large, Size first, Size steps, Size column, Size columns) {
  constexpr Size kColumns = Size{Isa::kPackedVectors} * Isa::kWidth;
  const Product& p = large.product;
  const Size left = large.transposed_rows > column ? large.transposed_rows - column : 0;
  const Size there = left < columns ? left : columns;
  transpose<Isa>({p.b + column * p.b_stride + first, p.b_stride, large.packed, kColumns, there, steps});
  for (Size step = 0; step < steps; ++step) {
    for (Size i = there; i < columns; ++i) large.packed[step * kColumns + i] = 0.0F;
  }
}

/// Each element is still one chain of multiply-adds in ascending order: it only rests in c between two pieces.
template <class Isa>
void multiply_large(const LargeProduct& large) {
  const Product& p = large.product;
  constexpr Size kColumns = Size{Isa::kPackedVectors} * Isa::kWidth;
  static_assert(kColumns * kPackedSteps <= kPackedFloats);
  for (Size first = 0; first < p.inner; first += kPackedSteps) {
    const Size steps = p.inner - first < kPackedSteps ? p.inner - first : kPackedSteps;
    for (Size column = 0; column < p.columns; column += kColumns) {
      const Size columns = p.columns - column < kColumns ? p.columns - column : kColumns;
      if (large.transposed_rows > 0) {
        pack_transposed<Isa>(large, first, steps, column, columns);
      } else {
        for (Size step = 0; step < steps; ++step) {
          const float* from = p.b + (first + step) * p.b_stride + column;
          for (Size i = 0; i < columns; i += Isa::kWidth) {
            Isa::store(large.packed + step * kColumns + i, Isa::load(from + i));
          }
        }
      }
      const Product part{p.a + first, p.a_stride, large.packed, kColumns, p.c + column,
                         p.c_stride,  p.rows,     steps,        columns};
      cover<Isa, Isa::kPackedVectors>(p.rows, columns, 0, ComputePartOfProduct<Isa>{part, first == 0});
    }
  }
}

}  // namespace
}  // namespace mnist_dist::nn
