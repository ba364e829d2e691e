// The kernels, for any kind of vector. Included by one source file per instruction set, which is compiled for it; so
// nothing here may be a function that another file could share (everything is in an unnamed namespace, and no standard
// header brings code along).
#pragma once

#include "kernel_packed.hpp"
#include "kernel_table.hpp"
#include "kernel_tile.hpp"

namespace mnist_dist::nn {
namespace {

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
struct ComputeSparseProduct {
  const SparseProduct& p;

  static constexpr int rows_of_tile(int) { return kSparseRows; }
  template <int kRows, int kVectors>
  void tile(Size row, Size column) const {
    WaitingTiles<Isa, kRows, kVectors> waiting;
    const unsigned* groups = p.active_groups + row / kSparseRows * p.groups;
    const unsigned* ends = p.active_ends + row / kSparseRows * p.segments;
    const float* a = p.a + row * p.a_stride;
    const float* b = p.b + column;
    unsigned next = 0;
    Size sum = 0;
    for (Size segment = 0; segment < p.segments; ++segment) {
      Tile<Isa, kRows, kVectors> tile;
      if (p.starts != nullptr) {
        tile.set_rows_to(p.starts + segment * p.starts_stride + column);
      } else {
        tile.clear();
      }
      for (; next < ends[segment]; ++next) {
        const Size first = Size{groups[next]} * kInputsOfGroup;
        if (first + kInputsOfGroup <= p.inner) {
          tile.add_products(kInputsOfGroup, a + first, p.a_stride, 1, b + first * p.b_stride, p.b_stride);
        } else {
          tile.add_products(p.inner - first, a + first, p.a_stride, 1, b + first * p.b_stride, p.b_stride);
        }
      }
      waiting.merge(p.merges[segment], tile);
      if (segment + 1 == p.sum_ends[sum]) {
        tile.store(p.sums[sum++] + row * p.sums_stride + column, p.sums_stride);
      } else {
        waiting.push(tile);
      }
    }
  }
};

template <class Isa, bool kSparse>
struct ComputeGradientSums {
  const GradientSums& p;

  static constexpr int rows_of_tile(int vectors) { return nn::rows_of_tile<Isa>(vectors); }
  template <int kRows, int kVectors>
  void tile(Size row, Size column) const {
    WaitingTiles<Isa, kRows, kVectors> waiting;
    if (p.written_next != nullptr) prefetch_for_writing<kRows, kVectors>(row, column);
    Size sum = 0;
    for (Size i = 0; i < p.count; ++i) {
      const GradientMicrobatch& microbatch = p.microbatches[i];
      Tile<Isa, kRows, kVectors> tile;
      if (p.offsets != nullptr) {
        tile.set_to_outer_product(p.offsets + p.first_input + row, microbatch.delta_sums + column);
      } else {
        tile.clear();
      }
      add_rows(tile, microbatch, p.first_input + row, column);
      waiting.merge(microbatch.merges, tile);
      if (i + 1 == p.sum_ends[sum]) {
        tile.store(p.sums[sum++] + row * p.sums_stride + column, p.sums_stride);
      } else {
        waiting.push(tile);
      }
    }
  }

 private:
  /// The caches of other cores hold the parameters too: asks for the right to write them, while their gradient is formed.
  /// Always inline: GCC 12 takes a function that only prefetches for one without effect, and drops calls of it.
  template <int kRows, int kVectors>
  __attribute__((always_inline)) void prefetch_for_writing(Size row, Size column) const {
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
          [](const SparseProduct& p) {
            cover<Isa, Isa::kMaxSparseVectors>(p.rows, p.columns, 0, ComputeSparseProduct<Isa>{p});
          },
          [](const GradientSums& p) {
            const bool sparse = p.count > 0 && p.microbatches[0].activity != nullptr;
            sparse ? sum_gradients<Isa, true>(p) : sum_gradients<Isa, false>(p);
          },
          [](const Transposition& t) { transpose<Isa>(t); }};
}

}  // namespace
}  // namespace mnist_dist::nn
