// For any processor. Without a fused multiply-add each step rounds twice, so the bits differ from the other kernels'.
#include "kernel_templates.hpp"

namespace mnist_dist::nn {
namespace {

struct Baseline {
  typedef float Vector __attribute__((vector_size(16)));
  typedef float Unaligned __attribute__((vector_size(16), aligned(4), may_alias));
  static constexpr const char* kName = "baseline";
  static constexpr bool kFused = false;
  static constexpr int kWidth = 4;
  static constexpr int kRegisters = 16;
  static constexpr int kMaxVectors = 2;
  static constexpr int kMaxSparseVectors = 3;
  static constexpr int kPackedVectors = 3;
  static constexpr int kMaxRows = 6;
  static Vector zero() { return Vector{}; }
  static Vector load(const float* p) { return *reinterpret_cast<const Unaligned*>(p); }
  static void store(float* p, Vector v) { *reinterpret_cast<Unaligned*>(p) = v; }
  static Vector broadcast(const float* p) { return Vector{*p, *p, *p, *p}; }
  static Vector add(Vector a, Vector b) { return a + b; }
  static Vector multiply(Vector a, Vector b) { return a * b; }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return a * b + c; }
  static constexpr int kSquare = 8;
  static void transpose_square(const float* from, Size from_stride, float* to, Size to_stride) {
    for (int row = 0; row < 8; ++row) {
      for (int column = 0; column < 8; ++column) to[column * to_stride + row] = from[row * from_stride + column];
    }
  }
};

}  // namespace

KernelTable baseline_kernels() {
  return table_of<Baseline>();
}

}  // namespace mnist_dist::nn
