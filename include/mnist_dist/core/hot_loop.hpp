// MNIST_DIST_HOT_LOOP before a function compiles it for the x86-64 baseline, AVX2 and AVX-512; the loader
// picks the best one that the processor has. Such functions use no fused multiply-add, so all versions round
// alike.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(MNIST_DIST_SINGLE_TARGET)
#define MNIST_DIST_HOT_LOOP __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define MNIST_DIST_HOT_LOOP
#endif
