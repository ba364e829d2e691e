// BLAS on the products of a step.
#pragma once

#include <cstddef>

#include "mnist_dist/bench/benchmark.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/nn/architecture.hpp"

namespace mnist_dist::bench {

/// Collective: times each product of a step over `rows` rows, and one large product.
[[nodiscard]] ProductCosts time_products(const comm::Communicator& ranks, const nn::Architecture& architecture,
                                         std::size_t rows);

}  // namespace mnist_dist::bench
