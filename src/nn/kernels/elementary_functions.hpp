// Elementary functions that compilers turn into vector code: no branches, no tables, no calls. They work on one number;
// in a loop of a function with MNIST_DIST_HOT_LOOP they work on vectors. Local.
//
// std::exp and its like would be called for one number at a time, and their bits depend on the version of the C library
// and on whether the processor has fused multiply-add.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#if defined(__GNUC__)
// A call from within a function that is compiled for several instruction sets must be part of it.
#define MNIST_DIST_INLINE __attribute__((always_inline)) inline
#else
#define MNIST_DIST_INLINE inline
#endif

namespace mnist_dist::nn {

/// Without a branch, even where the compiler would prefer one.
MNIST_DIST_INLINE float select(bool condition, float yes, float no) {
  const std::uint32_t mask = 0U - static_cast<std::uint32_t>(condition);
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(yes) & mask) | (std::bit_cast<std::uint32_t>(no) & ~mask));
}

/// e^x = 2^n e^r with |r| <= log(2) / 2.
struct ReducedExponential {
  float half_power;  ///< 2^(n - 1), which is a normal number where 2^n is or is just too large
  float e_r_minus_1;
};

/// @param x in [-86.9, 89], or not a number
MNIST_DIST_INLINE ReducedExponential reduce_exponential(float x) {
  constexpr float kLog2E = 1.44269504F;
  // Numbers around 3 * 2^22 lie 1 apart: adding this rounds to the nearest integer, and leaves it in the last bits.
  constexpr float kRound = 12582912.0F;
  // log(2) in two parts; n times the first, which has 9 bits, is exact (Cody & Waite 1980).
  constexpr float kLog2High = 0.693359375F;
  constexpr float kLog2Low = -2.12194440e-4F;
  const float rounded = x * kLog2E + kRound;
  const float n = rounded - kRound;
  const float r = (x - n * kLog2High) - n * kLog2Low;
  const std::uint32_t exponent = std::bit_cast<std::uint32_t>(rounded) + 126;
  // The minimax polynomial of (e^r - 1 - r) / r^2; relative to e^r, its error is 3e-9.
  float p = 1.3950610e-3F;
  p = p * r + 8.3689587e-3F;
  p = p * r + 4.1666202e-2F;
  p = p * r + 0.16666518F;
  p = p * r + 0.5F;
  return {std::bit_cast<float>(exponent << 23), p * (r * r) + r};
}

/// e^x within 2 units in the last place; 0 below -86.9, where e^x is almost too small for a normal number.
MNIST_DIST_INLINE float exponential(float x) {
  const float bounded = select(x > 89.0F, 89.0F, select(x < -86.9F, -86.9F, x));
  const ReducedExponential reduced = reduce_exponential(bounded);
  const float result = (1.0F + reduced.e_r_minus_1) * reduced.half_power * 2.0F;
  return select(x < -86.9F, 0.0F, result);
}

/// tanh x = (e^2|x| - 1) / (e^2|x| + 1), with the sign of x; within 3 units in the last place.
MNIST_DIST_INLINE float hyperbolic_tangent(float x) {
  const float magnitude = std::fabs(x);
  // tanh 10 is rounded to 1.
  const ReducedExponential reduced = reduce_exponential(select(magnitude > 10.0F, 20.0F, 2.0F * magnitude));
  const float power = 2.0F * reduced.half_power;
  const float e_minus_1 = power * reduced.e_r_minus_1 + (power - 1.0F);
  return std::copysign(e_minus_1 / (e_minus_1 + 2.0F), x);
}

/// The standard normal distribution at x: Phi(x) = (1 + erf(x / sqrt 2)) / 2, and phi(x) = e^(-x^2 / 2) / sqrt(2 pi).
struct NormalDistribution {
  float cumulative;  ///< Phi, within 2.5e-7
  float density;     ///< phi, within 1e-7
};

/// Phi(-|x|) = e^(-x^2 / 2) t P(t) with t = 1 / (1 + |x| / 4): the form of Abramowitz & Stegun 1964, 7.1.26, with a
/// polynomial of higher degree, minimax in the relative error (5e-8) for all |x| < 13.3, beyond which the power is 0.
MNIST_DIST_INLINE NormalDistribution normal_distribution(float x) {
  const float power = exponential(-0.5F * (x * x));
  const float t = 1.0F / (1.0F + 0.25F * std::fabs(x));
  float p = 2.6531318e-2F;
  p = p * t - 0.15680636F;
  p = p * t + 0.30455011F;
  p = p * t - 0.21565531F;
  p = p * t + 0.20876884F;
  p = p * t + 2.9843424e-2F;
  p = p * t + 0.10456625F;
  p = p * t + 9.8396800e-2F;
  p = p * t + 9.9804893e-2F;
  const float tail = power * (p * t);
  return {select(x > 0.0F, 1.0F - tail, tail), 0.39894228F * power};
}

}  // namespace mnist_dist::nn
