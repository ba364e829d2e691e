// What the cases of kernel_bits share: numbers to compute with, and how the bits of a result are printed.
#pragma once

#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

#include "mnist_dist/core/aligned_vector.hpp"
#include "mnist_dist/core/random.hpp"

using Floats = mnist_dist::AlignedVector<float>;

/// A hash of all values that were added (FNV-1a, 64 bits).
class Bits {
 public:
  template <class T>
  Bits& add(std::span<const T> values) {
    for (const std::byte byte : std::as_bytes(values)) {
      hash_ = (hash_ ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3U;
    }
    return *this;
  }
  Bits& add(const Floats& values) { return add(std::span<const float>(values)); }

  void print(const std::string& name) const {
    std::printf("%s: %016llx\n", name.c_str(), static_cast<unsigned long long>(hash_));
  }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325U;
};

inline Floats random_floats(std::size_t size, std::uint64_t id) {
  mnist_dist::RandomStream stream({.seed = 7, .purpose = mnist_dist::Purpose::shuffle, .epoch = 0, .id = id});
  Floats values(size);
  for (float& value : values) value = stream.uniform(-1, 1);
  return values;
}

/// In which order microbatches are added (nn::TreeOfLeaves): whole trees, and one that is not.
inline const std::vector<std::vector<std::uint8_t>> kTrees = {
    {0}, {0, 1}, {0, 1, 0, 2}, {0, 0, 1, 0, 3}, {0, 1, 0, 2, 0, 1, 0, 3}};

/// Where microbatches end that have different numbers of rows; of more than two, the second one is empty.
inline std::vector<std::size_t> microbatch_ends(std::size_t rows, std::size_t microbatches) {
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < microbatches; ++i) {
    ends.push_back(i == 1 && microbatches > 2 ? ends[0] : rows * (i + 1) / microbatches);
  }
  return ends;
}

void print_products();
void print_first_layer();
void print_elementwise();
void print_trainings();
