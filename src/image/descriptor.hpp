// The owner of one open file.
#pragma once

#include <unistd.h>

#include <utility>

#include "mnist_dist/core/retry.hpp"

namespace mnist_dist::image {

/// Closes the file when it goes.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }
  [[nodiscard]] int close() { return close_once(std::exchange(descriptor_, -1)); }

 private:
  int descriptor_;
};

}  // namespace mnist_dist::image
