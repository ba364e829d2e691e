#include "mnist_dist/core/build_info.hpp"

#include <fmt/format.h>

namespace mnist_dist {

std::string version() {
  return MNIST_DIST_VERSION;
}

std::string build_description() {
#if defined(__clang__)
  return fmt::format("mnist-dist {}, Clang {}", version(), __clang_version__);
#else
  return fmt::format("mnist-dist {}, GCC {}", version(), __VERSION__);
#endif
}

}  // namespace mnist_dist
