#include "mnist_dist/nn/architecture.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace mnist_dist::nn {

std::string Architecture::description() const {
  return hidden.empty() ? fmt::format("{}-{}", inputs, outputs)
                        : fmt::format("{}-{}-{}", inputs, fmt::join(hidden, "-"), outputs);
}

std::vector<Layer> layers_of(const Architecture& architecture) {
  std::vector<std::size_t> sizes = {architecture.inputs};
  sizes.insert(sizes.end(), architecture.hidden.begin(), architecture.hidden.end());
  sizes.push_back(architecture.outputs);
  std::vector<Layer> layers;
  std::size_t next = 0;
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    const std::size_t weights_end = next + sizes[i] * sizes[i + 1];
    const std::size_t biases_end = weights_end + sizes[i + 1];
    layers.push_back({sizes[i], sizes[i + 1], {next, weights_end}, {weights_end, biases_end}});
    next = biases_end;
  }
  return layers;
}

std::size_t parameter_count(const Architecture& architecture) {
  return layers_of(architecture).back().biases.end;
}

}  // namespace mnist_dist::nn
