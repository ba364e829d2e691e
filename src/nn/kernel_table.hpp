// What the kernels of every instruction set look like from outside. Plain types only: these files are compiled for
// different instruction sets.
#pragma once

namespace mnist_dist::nn {

/// The deepest stack of sums: enough for the most shards that a run can have.
inline constexpr int kMaxWaiting = 17;

/// c = a b
struct Product {
  const float* a;
  decltype(sizeof 0) a_stride;
  const float* b;
  decltype(sizeof 0) b_stride;
  float* c;
  decltype(sizeof 0) c_stride;
  decltype(sizeof 0) rows;
  decltype(sizeof 0) inner;
  decltype(sizeof 0) columns;
};

/// results = sums of a^T b over the microbatches' rows
struct MicrobatchProducts {
  const float* a;
  decltype(sizeof 0) a_stride;
  const float* b;
  decltype(sizeof 0) b_stride;
  const decltype(sizeof 0)* rows;
  const unsigned char* merges;
  decltype(sizeof 0) microbatches;
  float* const* results;
  decltype(sizeof 0) outputs;  ///< rows of a result: columns of a
  decltype(sizeof 0) columns;  ///< of b and of a result
};

struct KernelTable {
  void (*multiply)(const Product&);
  void (*multiply_microbatches)(const MicrobatchProducts&);
};

KernelTable baseline_kernels();
KernelTable avx2_kernels();
KernelTable avx512_kernels();

}  // namespace mnist_dist::nn
