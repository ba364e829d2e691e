// A part of the flat parameter vector.
#pragma once

#include <cstddef>
#include <span>

namespace mnist_dist {

/// The parameters [begin, end) of the flat vector that holds all weights and biases.
struct ParameterRange {
  std::size_t begin = 0;
  std::size_t end = 0;

  [[nodiscard]] std::size_t size() const { return end - begin; }
  [[nodiscard]] bool contains(const ParameterRange& part) const { return begin <= part.begin && part.end <= end; }
  /// This part of a vector that holds a value for every parameter.
  template <class T>
  [[nodiscard]] std::span<T> of(std::span<T> all) const {
    return all.subspan(begin, size());
  }
  bool operator==(const ParameterRange&) const = default;
};

}  // namespace mnist_dist
