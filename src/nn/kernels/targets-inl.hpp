// The kinds of vectors that the kernels are compiled for; at run time Highway takes the best one that the processor
// has. Included without an include guard: each time, it compiles the file HWY_TARGET_INCLUDE once a target.
//
// Left out are targets without anything that the kernels would gain by, and those whose vectors have no fixed length,
// which cannot lie in a tile.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif
#include <hwy/foreach_target.h>  // IWYU pragma: keep
// This one comes after it.
#include <hwy/highway.h>
