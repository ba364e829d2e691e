// Compiled with -mavx2 -mfma.
#include <immintrin.h>

#include "kernel_templates.hpp"
#include "transpose_avx.hpp"

namespace mnist_dist::nn {
namespace {

struct Avx2 {
  using Vector = __m256;
  static constexpr const char* kName = "AVX2";
  static constexpr bool kFused = true;
  static constexpr int kWidth = 8;
  static constexpr int kRegisters = 16;
  static constexpr int kMaxVectors = 2;
  static constexpr int kMaxSparseVectors = 3;
  static constexpr int kPackedVectors = 3;
  static constexpr int kMaxRows = 6;
  static Vector zero() { return _mm256_setzero_ps(); }
  static Vector load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, Vector v) { _mm256_storeu_ps(p, v); }
  static Vector broadcast(const float* p) { return _mm256_broadcast_ss(p); }
  static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector multiply(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static constexpr int kSquare = 8;
  static void transpose_square(const float* from, Size from_stride, float* to, Size to_stride) {
    transpose_eight_avx(from, from_stride, to, to_stride);
  }
};

}  // namespace

KernelTable avx2_kernels() {
  return table_of<Avx2>();
}

}  // namespace mnist_dist::nn
