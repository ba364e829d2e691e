#include "mnist_dist/nn/arithmetic.hpp"

#include <fmt/format.h>

#include "kernel_targets.hpp"
#include "mnist_dist/blas/gemm.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nn/kernels/arithmetic.cpp"
// clang-format off
#include "targets-inl.hpp"  // before all others below: it includes this file once a target
// clang-format on

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

bool has_vectors() {
  return HWY_TARGET != HWY_SCALAR;
}

}  // namespace mnist_dist::nn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mnist_dist::nn {
HWY_EXPORT(vectors);
HWY_EXPORT(fuses);
HWY_EXPORT(has_vectors);

std::string kernel_vectors() {
  return HWY_DYNAMIC_DISPATCH(vectors)();
}

std::string arithmetic(Products products) {
  std::string text = HWY_DYNAMIC_DISPATCH(fuses)() ? "fused multiply-add" : "multiply, then add";
  if (resolved(products) == Products::openblas) {
    text += fmt::format("; OpenBLAS {}, core {}", blas::version(), blas::core_name());
  }
  return text;
}

Products resolved(Products products) {
  if (products != Products::automatic) return products;
  return HWY_DYNAMIC_DISPATCH(has_vectors)() ? Products::kernels : Products::openblas;
}

std::vector<KernelTarget> runnable_targets() {
  const std::int64_t chosen = hwy::SupportedTargets();
  std::vector<KernelTarget> targets;
  for (const std::int64_t id : hwy::SupportedAndGeneratedTargets()) {
    hwy::GetChosenTarget().Update(id);
    targets.push_back({id, kernel_vectors(), HWY_DYNAMIC_DISPATCH(fuses)()});
  }
  hwy::GetChosenTarget().Update(chosen);
  return targets;
}

void use_target(const KernelTarget& target) {
  hwy::GetChosenTarget().Update(target.id);
}

}  // namespace mnist_dist::nn
#endif
