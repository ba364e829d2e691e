// Compiled with -mavx512f.
#include <immintrin.h>

#include "kernel_templates.hpp"
#include "transpose_avx512.hpp"

namespace mnist_dist::nn {
namespace {

struct Avx512 {
  using Vector = __m512;
  static constexpr const char* kName = "AVX-512";
  static constexpr bool kFused = true;
  static constexpr int kWidth = 16;
  static constexpr int kRegisters = 36;  // 32, and the compiler takes some operands from memory
  static constexpr int kMaxVectors = 7;
  static constexpr int kMaxSparseVectors = 7;
  static constexpr int kPackedVectors = 3;
  static constexpr int kMaxRows = 12;
  static Vector zero() { return _mm512_setzero_ps(); }
  static Vector load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, Vector v) { _mm512_storeu_ps(p, v); }
  static Vector broadcast(const float* p) { return _mm512_set1_ps(*p); }
  static Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector multiply(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static constexpr int kSquare = 16;
  static void transpose_square(const float* from, Size from_stride, float* to, Size to_stride) {
    transpose_sixteen_avx512(from, from_stride, to, to_stride);
  }
};

}  // namespace

KernelTable avx512_kernels() {
  return table_of<Avx512>();
}

}  // namespace mnist_dist::nn
