#include "mnist_dist/core/retry.hpp"

#include <unistd.h>

namespace mnist_dist {

int close_once(int descriptor) {
  return close(descriptor) != 0 && errno != EINTR ? -1 : 0;
}

}  // namespace mnist_dist
