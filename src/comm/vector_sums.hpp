// Carries an addition plan out over vectors.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "mnist_dist/core/sum_tree.hpp"

namespace mnist_dist::comm {

/// results[i] = the plan's i-th result, element by element; each addition is one rounded float addition.
/// @param inputs plan.inputs vectors of `size` elements  @param results plan.results.size() vectors of `size`
/// elements, none of which overlaps an input
void add_vectors(const AdditionPlan& plan, std::span<const float* const> inputs, std::size_t size,
                 std::span<float* const> results);

}  // namespace mnist_dist::comm
