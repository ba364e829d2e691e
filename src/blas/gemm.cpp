#include "mnist_dist/blas/gemm.hpp"

#include <cblas.h>

#include <sstream>

namespace mnist_dist::blas {
namespace {

blasint to_int(std::size_t size) {
  return static_cast<blasint>(size);
}

void gemm(CBLAS_TRANSPOSE transpose_a, CBLAS_TRANSPOSE transpose_b, std::size_t inner, const MatrixView<const float>& a,
          const MatrixView<const float>& b, const MatrixView<float>& c) {
  [[maybe_unused]] static const bool has_one_thread = (openblas_set_num_threads(1), true);
  cblas_sgemm(CblasRowMajor, transpose_a, transpose_b, to_int(c.rows), to_int(c.columns), to_int(inner), 1.0F, a.data,
              to_int(a.stride), b.data, to_int(b.stride), 0.0F, c.data, to_int(c.stride));
}

}  // namespace

std::string version() {
  std::istringstream words(openblas_get_config());  // "OpenBLAS 0.3.21 DYNAMIC_ARCH ..."
  std::string name;
  std::string version;
  words >> name >> version;
  return version;
}

std::string core_name() {
  return openblas_get_corename();
}

void multiply(const MatrixView<const float>& a, const MatrixView<const float>& b, const MatrixView<float>& c) {
  gemm(CblasNoTrans, CblasNoTrans, a.columns, a, b, c);
}

void multiply_left_transposed(const MatrixView<const float>& a, const MatrixView<const float>& b,
                              const MatrixView<float>& c) {
  gemm(CblasTrans, CblasNoTrans, a.rows, a, b, c);
}

void multiply_right_transposed(const MatrixView<const float>& a, const MatrixView<const float>& b,
                               const MatrixView<float>& c) {
  gemm(CblasNoTrans, CblasTrans, a.columns, a, b, c);
}

}  // namespace mnist_dist::blas
