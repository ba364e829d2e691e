// Vectors that begin on a cache line, for buffers that hot loops go through: a vector register that is read across two
// lines costs twice. Local.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace mnist_dist {

/// Also the size of the largest vector registers, in bytes.
inline constexpr std::size_t kCacheLine = 64;

template <class T>
struct CacheLineAllocator {
  using value_type = T;

  CacheLineAllocator() = default;
  template <class Other>
  CacheLineAllocator(const CacheLineAllocator<Other>& /*other*/) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{kCacheLine}));
  }
  void deallocate(T* first, std::size_t /*count*/) { ::operator delete (first, std::align_val_t{kCacheLine}); }
  bool operator==(const CacheLineAllocator& /*other*/) const { return true; }
};

template <class T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace mnist_dist
