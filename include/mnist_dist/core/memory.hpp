// What is said when there is not enough memory. Local.
#pragma once

#include <cstddef>
#include <new>
#include <string>
#include <string_view>

namespace mnist_dist {

/// A number of bytes for people, such as "1.5 GB".
[[nodiscard]] std::string as_memory(double bytes);

/// The memory of this machine, in bytes.
[[nodiscard]] double physical_memory();

/// The message where nobody knows what the memory was for.
inline constexpr const char* kOutOfMemory = "out of memory: use more hosts, or smaller --hidden and --batch-size";

/// @throws Error (rank_failed) saying how much could not be had for what
[[noreturn]] void throw_out_of_memory(std::string_view what, std::size_t bytes);

/// Gives `values` this size, in which a failure says what it was for. @param what such as "the optimiser's moments"
template <class Vector>
void resize_for(std::string_view what, Vector& values, std::size_t size) {
  try {
    values.resize(size);
  } catch (const std::bad_alloc&) {
    throw_out_of_memory(what, size * sizeof(typename Vector::value_type));
  }
}

}  // namespace mnist_dist
