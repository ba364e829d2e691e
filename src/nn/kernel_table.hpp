// What the kernels of every instruction set look like from outside. Plain types only: these files are compiled for
// different instruction sets.
#pragma once

namespace mnist_dist::nn {

using Size = decltype(sizeof 0);
using Word = unsigned long;  // what std::uint64_t is
static_assert(sizeof(Word) == 8);

/// The most sums that wait for their brother while one sum of a tree is formed: one a level, over the most shards that
/// a run can have. Whoever calls a kernel has checked it (kernels.cpp).
inline constexpr int kMaxWaiting = 16;
/// Inputs whose zeros are told together, and rows in a word that tells them (nn/activations.hpp).
inline constexpr int kInputsOfGroup = 4;
inline constexpr int kRowsOfChunk = 64;
/// Rows that a product with sparse rows takes together.
inline constexpr int kSparseRows = 4;

/// c = a b
struct Product {
  const float* a;
  Size a_stride;
  const float* b;
  Size b_stride;
  float* c;
  Size c_stride;
  Size rows;
  Size inner;
  Size columns;
};

/// c = a b, where b is too large for a core's cache: it goes through `packed` in pieces.
struct LargeProduct {
  Product product;
  Size transposed_rows;  ///< not 0: b is there as its transpose, with so many rows; further columns of c are zero
  float* packed;         ///< [kPackedFloats]
};

/// Inner steps whose piece of b is packed at once, and the room for it.
inline constexpr int kPackedSteps = 512;
inline constexpr int kPackedFloats = kPackedSteps * 48;

/// Sums over segments of a's columns: a starting row, the same for all rows of a, and a b over the segment, where most of a
/// is zero.
struct SparseProduct {
  const float* a;
  Size a_stride;
  const float* b;
  Size b_stride;
  const unsigned* active_groups;  ///< [rows / kSparseRows, rounded up, x groups]: which groups of a's columns to take
  const unsigned* active_ends;    ///< [rows / kSparseRows, rounded up, x segments]: where a segment ends among them
  Size groups;
  Size segments;
  const float* starts;  ///< [segments x columns], or null for zeros
  Size starts_stride;
  const unsigned char* merges;  ///< by segment: how often the last two sums are added after it
  const Size* sum_ends;         ///< by sum that is left: where its segments end
  float* const* sums;           ///< what is left, each [rows x columns]
  Size sums_stride;
  Size rows;
  Size inner;
  Size columns;
};

/// A microbatch of rows for the gradient of a layer's weights.
struct GradientMicrobatch {
  const float* inputs;      ///< [rows x inputs]
  const float* deltas;      ///< [rows x columns]
  const float* delta_sums;  ///< [columns]
  const Word* activity;     ///< of the inputs, [chunks x groups]; null when it is not to be used
  Size first_row;           ///< the microbatch's first row, as the activity counts them
  Size rows;
  unsigned merges;  ///< how often the last two sums are added after this microbatch
};

/// sums = the sums of inputs^T deltas (+ offsets^T delta_sums) over the microbatches' rows
struct GradientSums {
  const GradientMicrobatch* microbatches;
  Size count;
  Size inputs_stride;
  Size deltas_stride;
  Size groups;
  const float* offsets;  ///< [inputs]: what the inputs lack; null for nothing
  Size first_input;      ///< a multiple of kInputsOfGroup
  Size inputs;           ///< how many, from the first
  Size columns;
  Size sums_stride;                ///< floats from one row of a sum to the next
  const float* written_next;       ///< laid out as a sum: what is to be written after this, or null
  const Size* sum_ends = nullptr;  ///< by sum that is left: where its microbatches end
  float* const* sums = nullptr;    ///< each [inputs x columns]
};

/// to [columns x rows] = from^T, from [rows x columns]
struct Transposition {
  const float* from;
  Size from_stride;
  float* to;
  Size to_stride;
  Size rows;
  Size columns;
};

struct KernelTable {
  const char* vectors;
  bool fused;  ///< a multiply-add rounds once
  void (*multiply)(const Product&);
  void (*multiply_large)(const LargeProduct&);
  void (*multiply_sparse)(const SparseProduct&);
  void (*sum_gradients)(const GradientSums&);
  void (*transpose)(const Transposition&);
};

KernelTable baseline_kernels();
KernelTable avx2_kernels();
KernelTable avx512_kernels();

}  // namespace mnist_dist::nn
