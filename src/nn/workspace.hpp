// What is behind a Workspace.
#pragma once

#include <cstddef>
#include <vector>

#include "mnist_dist/core/aligned_vector.hpp"
#include "mnist_dist/nn/network.hpp"

namespace mnist_dist::nn {

struct Workspace::State {
  State(const Architecture& architecture, std::size_t most_rows, Activations views);

  AlignedVector<float> memory;               ///< of the activations, when they lie nowhere else
  std::size_t rows = 0;                      ///< that were loaded
  std::vector<std::size_t> microbatch_rows;  ///< how many of them are in each microbatch
  std::size_t outputs;
  Activations activations;
  std::vector<std::vector<float>>
      output_scales;                  ///< by layer [max_rows x columns]: d output / d pre-activation; 0 in padding
  AlignedVector<float> first_biases;  ///< [columns of the first layer]: its biases, and what the means add to every row
  AlignedVector<float> inputs;        ///< [rows x inputs] standardised, where OpenBLAS wants them
  /// By layer [columns x padded(inputs)]: the transposed weights, where backward() wants them
  std::vector<AlignedVector<float>> transposed_weights;
};

}  // namespace mnist_dist::nn
