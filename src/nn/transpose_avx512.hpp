// The transposition of 16 x 16 floats in AVX-512 registers. For the files that are compiled with -mavx512f.
#pragma once

#include <immintrin.h>

#include "kernel_tile.hpp"

// GCC 12 takes the registers that its own header leaves undefined on purpose for a mistake of ours.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"

namespace mnist_dist::nn {
namespace {

inline void transpose_sixteen_avx512(const float* from, Size from_stride, float* to, Size to_stride) {
  __m512 rows[16];
  __m512 pairs[16];
  MNIST_DIST_UNROLL
  for (int i = 0; i < 16; ++i) rows[i] = _mm512_loadu_ps(from + i * from_stride);
  // Within each quarter of a register: rows 4 q ... 4 q + 3, column 4 (quarter) + i, are brought together in rows[4 q + i].
  MNIST_DIST_UNROLL
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
  }
  MNIST_DIST_UNROLL
  for (int i = 0; i < 16; i += 4) {
    rows[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(pairs[i]), _mm512_castps_pd(pairs[i + 2])));
    rows[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(pairs[i]), _mm512_castps_pd(pairs[i + 2])));
    rows[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(pairs[i + 1]), _mm512_castps_pd(pairs[i + 3])));
    rows[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(pairs[i + 1]), _mm512_castps_pd(pairs[i + 3])));
  }
  // Then the quarters themselves are transposed: column 4 a + i is quarter a of rows[i], rows[4 + i], rows[8 + i], rows[12 + i].
  MNIST_DIST_UNROLL
  for (int i = 0; i < 4; ++i) {
    const __m512 low_even = _mm512_shuffle_f32x4(rows[i], rows[4 + i], 0x88);  // quarters 0 and 2 of both
    const __m512 low_odd = _mm512_shuffle_f32x4(rows[i], rows[4 + i], 0xdd);   // quarters 1 and 3
    const __m512 high_even = _mm512_shuffle_f32x4(rows[8 + i], rows[12 + i], 0x88);
    const __m512 high_odd = _mm512_shuffle_f32x4(rows[8 + i], rows[12 + i], 0xdd);
    _mm512_storeu_ps(to + i * to_stride, _mm512_shuffle_f32x4(low_even, high_even, 0x88));
    _mm512_storeu_ps(to + (4 + i) * to_stride, _mm512_shuffle_f32x4(low_odd, high_odd, 0x88));
    _mm512_storeu_ps(to + (8 + i) * to_stride, _mm512_shuffle_f32x4(low_even, high_even, 0xdd));
    _mm512_storeu_ps(to + (12 + i) * to_stride, _mm512_shuffle_f32x4(low_odd, high_odd, 0xdd));
  }
}

}  // namespace
}  // namespace mnist_dist::nn

#pragma GCC diagnostic pop
