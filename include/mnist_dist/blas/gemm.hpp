// Matrix products by OpenBLAS, the only door to cblas. All matrices are row-major views. Local.
//
// OpenBLAS runs with one thread here: parallelism is ranks, and a product's bits must not depend on a thread
// count.
#pragma once

#include <string>

#include "mnist_dist/core/matrix_view.hpp"

namespace mnist_dist::blas {

/// OpenBLAS's, such as "0.3.21".
[[nodiscard]] std::string version();

/// The kernels that OpenBLAS chose for this processor, such as "Haswell" or "SkylakeX". They decide the bits.
[[nodiscard]] std::string core_name();

/// c = a b.  a [m x k], b [k x n], c [m x n]
void multiply(const MatrixView<const float>& a, const MatrixView<const float>& b, const MatrixView<float>& c);

/// c = a^T b.  a [k x m], b [k x n], c [m x n]
void multiply_left_transposed(const MatrixView<const float>& a, const MatrixView<const float>& b,
                              const MatrixView<float>& c);

/// c = a b^T.  a [m x k], b [n x k], c [m x n]
void multiply_right_transposed(const MatrixView<const float>& a, const MatrixView<const float>& b,
                               const MatrixView<float>& c);

}  // namespace mnist_dist::blas
