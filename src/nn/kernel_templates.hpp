// The kernels, for any kind of vector. Included by one source file per instruction set, which is compiled for it; so
// nothing here may be a function that another file could share (everything is in an unnamed namespace, and no standard
// header brings code along).
#pragma once

#include "kernel_table.hpp"

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
    for (int i = 0; i < kRows; ++i) {
      for (int j = 0; j < kVectors; ++j) sums[i][j] = Isa::load(first + i * row_stride + j * Isa::kWidth);
    }
  }
  /// sums = column row^T
  void set_to_outer_product(const float* column, const float* row) {
    for (int i = 0; i < kRows; ++i) {
      const typename Isa::Vector left = Isa::broadcast(column + i);
      for (int j = 0; j < kVectors; ++j) sums[i][j] = Isa::multiply(left, Isa::load(row + j * Isa::kWidth));
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
  constexpr int kRows = Compute::rows_of_tile(kVectors);
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

  static constexpr int rows_of_tile(int vectors) { return nn::rows_of_tile<Isa>(vectors); }
  template <int kRows, int kVectors>
  void tile(Size row, Size column) const {
    Tile<Isa, kRows, kVectors> tile;
    tile.clear();
    tile.add_products(p.inner, p.a + row * p.a_stride, p.a_stride, 1, p.b + column, p.b_stride);
    tile.store(p.c + row * p.c_stride + column, p.c_stride);
  }
};

template <class Isa>
void transpose(const Transposition& t) {
  constexpr Size kSquare = 8;
  const Size square_rows = t.rows / kSquare * kSquare;
  const Size square_columns = t.columns / kSquare * kSquare;
  for (Size row = 0; row < square_rows; row += kSquare) {
    for (Size column = 0; column < square_columns; column += kSquare) {
      Isa::transpose_eight(t.from + row * t.from_stride + column, t.from_stride, t.to + column * t.to_stride + row,
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

template <class Isa>
struct ComputeSparseProduct {
  const SparseProduct& s;

  static constexpr int rows_of_tile(int) { return kSparseRows; }
  template <int kRows, int kVectors>
  void tile(Size row, Size column) const {
    const Product& p = s.product;
    Tile<Isa, kRows, kVectors> tile;
    tile.clear();
    const unsigned* groups = s.active_groups + row / kSparseRows * s.groups;
    const unsigned count = s.active_counts[row / kSparseRows];
    const float* a = p.a + row * p.a_stride;
    const float* b = p.b + column;
    for (unsigned i = 0; i < count; ++i) {
      const Size first = Size{groups[i]} * kInputsOfGroup;
      if (first + kInputsOfGroup <= p.inner) {
        tile.add_products(kInputsOfGroup, a + first, p.a_stride, 1, b + first * p.b_stride, p.b_stride);
      } else {
        tile.add_products(p.inner - first, a + first, p.a_stride, 1, b + first * p.b_stride, p.b_stride);
      }
    }
    tile.store(p.c + row * p.c_stride + column, p.c_stride);
  }
};

template <class Isa, bool kSparse>
struct ComputeGradientSums {
  const GradientSums& p;

  static constexpr int rows_of_tile(int vectors) { return nn::rows_of_tile<Isa>(vectors); }
  template <int kRows, int kVectors>
  void tile(Size row, Size column) const {
    // The stack of sums that wait for their brother; its depth is the logarithm of the number of microbatches.
    alignas(64) float waiting[kMaxWaiting][kRows * kVectors * Isa::kWidth];
    Size depth = 0;
    if (p.written_next != nullptr) prefetch_for_writing<kRows, kVectors>(row, column);
    for (Size i = 0; i < p.count; ++i) {
      const GradientMicrobatch& microbatch = p.microbatches[i];
      Tile<Isa, kRows, kVectors> tile;
      if (p.offsets != nullptr) {
        tile.set_to_outer_product(p.offsets + p.first_input + row, microbatch.delta_sums + column);
      } else {
        tile.clear();
      }
      add_rows(tile, microbatch, p.first_input + row, column);
      for (unsigned merge = 0; merge < microbatch.merges; ++merge) tile.add_to(waiting[--depth]);
      if (i + 1 == p.count) {
        tile.store(p.sums[depth] + row * p.sums_stride + column, p.sums_stride);
      } else {
        tile.store(waiting[depth++], kVectors * Isa::kWidth);
      }
    }
    for (Size sum = 0; sum < depth; ++sum) {
      for (int i = 0; i < kRows; ++i) {
        for (int j = 0; j < kVectors; ++j) {
          Isa::store(p.sums[sum] + (row + i) * p.sums_stride + column + j * Isa::kWidth,
                     Isa::load(&waiting[sum][(i * kVectors + j) * Isa::kWidth]));
        }
      }
    }
  }

 private:
  /// The caches of other cores hold the parameters too: asks for the right to write them, while their gradient is formed.
  template <int kRows, int kVectors>
  void prefetch_for_writing(Size row, Size column) const {
    constexpr int kFloatsOfLine = 16;
    for (int i = 0; i < kRows; ++i) {
      const float* next = p.written_next + (row + i) * p.sums_stride + column;
      for (int j = 0; j < kVectors * Isa::kWidth; j += kFloatsOfLine) __builtin_prefetch(next + j, 1);
    }
  }

  template <int kRows, int kVectors>
  void add_rows(Tile<Isa, kRows, kVectors>& tile, const GradientMicrobatch& microbatch, Size input, Size column) const {
    const float* a = microbatch.inputs + input;
    const float* b = microbatch.deltas + column;
    if constexpr (kSparse) {
      // Only the rows in which one of the tile's inputs is not zero, 64 rows at a time.
      const Size end = microbatch.first_row + microbatch.rows;
      for (Size first = microbatch.first_row; first < end;) {
        const Size chunk = first / kRowsOfChunk;
        const Size chunk_end = (chunk + 1) * kRowsOfChunk < end ? (chunk + 1) * kRowsOfChunk : end;
        const Size offset = first - chunk * kRowsOfChunk;
        Word active = active_rows<kRows>(microbatch.activity + chunk * p.groups, input) >> offset;
        if (chunk_end - first < kRowsOfChunk) active &= (Word{1} << (chunk_end - first)) - 1;
        const Size done = first - microbatch.first_row;
        while (active != 0) {
          const Size r = done + static_cast<Size>(__builtin_ctzl(active));
          tile.add_products(1, a + r * p.inputs_stride, 1, 0, b + r * p.deltas_stride, 0);
          active &= active - 1;
        }
        first = chunk_end;
      }
    } else {
      tile.add_products(microbatch.rows, a, 1, p.inputs_stride, b, p.deltas_stride);
    }
  }

  template <int kRows>
  static Word active_rows(const Word* words, Size input) {
    Word active = 0;
    for (Size group = input / kInputsOfGroup; group <= (input + kRows - 1) / kInputsOfGroup; ++group) {
      active |= words[group];
    }
    return active;
  }
};

template <class Isa, bool kSparse>
void sum_gradients(const GradientSums& p) {
  cover<Isa, Isa::kMaxVectors>(p.inputs, p.columns, 0, ComputeGradientSums<Isa, kSparse>{p});
}

template <class Isa>
KernelTable table_of() {
  return {Isa::kName,
          Isa::kFused,
          [](const Product& p) { cover<Isa, Isa::kMaxVectors>(p.rows, p.columns, 0, ComputeProduct<Isa>{p}); },
          [](const LargeProduct& large) { multiply_large<Isa>(large); },
          [](const SparseProduct& s) {
            cover<Isa, Isa::kMaxSparseVectors>(s.product.rows, s.product.columns, 0, ComputeSparseProduct<Isa>{s});
          },
          [](const GradientSums& p) {
            const bool sparse = p.count > 0 && p.microbatches[0].activity != nullptr;
            sparse ? sum_gradients<Isa, true>(p) : sum_gradients<Isa, false>(p);
          },
          [](const Transposition& t) { transpose<Isa>(t); }};
}

}  // namespace
}  // namespace mnist_dist::nn
