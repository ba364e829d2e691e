// Clipping by the norm of the whole gradient (Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent
// neural networks", 2013, Algorithm 1): a gradient that is longer than the limit is scaled down to it. Local.
//
// The squared norm is added up from pieces of the gradient, each from sum_of_squares(). A piece's sum has the same bits
// wherever it is formed; so has the total, if the pieces are the same and their sums are added in the pieces' order.
#pragma once

#include <span>

namespace mnist_dist::optim {

/// Local: the sum of the squares, in double, where no square of a float overflows or is rounded. Value i goes to lane i
/// mod 16, the lanes are added as a binary tree: the order depends on the size alone, not on the processor or on where
/// the values lie. A value that is no number makes the sum one; an infinite one makes it infinite.
[[nodiscard]] double sum_of_squares(std::span<const float> values);

/// Local: by what to multiply the gradient: 1 within the limit, otherwise limit / norm. Not a number if the squared
/// norm is no finite number, so that a divergence reaches the parameters and is seen.
/// @param limit the largest norm, above 0; infinity clips nothing
[[nodiscard]] double clip_factor(double squared_norm, double limit);

/// Local: gradient *= factor, rounded to float first. 1 leaves the bits alone.
void scale_gradient(double factor, std::span<float> gradient);

}  // namespace mnist_dist::optim
