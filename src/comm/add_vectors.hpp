// Sums of whole vectors in a given order.
#pragma once

#include <span>

#include "mnist_dist/core/sum_tree.hpp"

namespace mnist_dist::comm {

/// sum = the plan's one result, element by element; each addition is one rounded float addition.
/// @param inputs plan.inputs vectors as long as `sum`, which overlaps none of them; two or more
void add_vectors(const AdditionPlan& plan, std::span<const float* const> inputs, std::span<float> sum);

}  // namespace mnist_dist::comm
