#include "mnist_dist/nn/kernel_info.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nn/kernels/kernel_info.cpp"
#include "targets.hpp"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::nn::HWY_NAMESPACE {

const char* vectors() {
  switch (HWY_TARGET) {
    case HWY_AVX3:
      return "AVX-512";
    default:
      return hwy::TargetName(HWY_TARGET);
  }
}

bool fuses() {
  return HWY_NATIVE_FMA != 0;
}

}  // namespace mnist_dist::nn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mnist_dist::nn {
HWY_EXPORT(vectors);
HWY_EXPORT(fuses);

std::string kernel_vectors() {
  return HWY_DYNAMIC_DISPATCH(vectors)();
}

std::string kernel_arithmetic() {
  return HWY_DYNAMIC_DISPATCH(fuses)() ? "fused multiply-add" : "multiply, then add";
}

}  // namespace mnist_dist::nn
#endif
