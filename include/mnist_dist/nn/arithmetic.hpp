// Who computes a network's products of matrices, and what that means for the bits. Local.
#pragma once

#include <string>

#include "mnist_dist/core/named_values.hpp"

namespace mnist_dist::nn {

enum class Products {
  automatic,  ///< kernels, on a processor with vectors that they know; otherwise openblas
  kernels,    ///< our own: a row's bits do not depend on the rows beside it
  openblas,   ///< OpenBLAS: a microbatch is a product of its own
};

inline constexpr NamedValues<Products, 3> kProducts = {
    {{Products::automatic, "auto"}, {Products::kernels, "kernels"}, {Products::openblas, "openblas"}}};

/// What `automatic` stands for on this processor; the other two stand for themselves.
[[nodiscard]] Products resolved(Products products);

/// The vectors of the kernels that were chosen for this processor, such as "AVX-512", "AVX2" or "NEON".
[[nodiscard]] std::string kernel_vectors();

/// How numbers are rounded: "fused multiply-add" (once, whatever the vectors) or "multiply, then add" (twice), and
/// OpenBLAS's version and core where it computes the products. The same program gives the same bits on all processors
/// with the same arithmetic.
[[nodiscard]] std::string arithmetic(Products products);

}  // namespace mnist_dist::nn
