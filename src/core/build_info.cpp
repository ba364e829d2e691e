#include "mnist_dist/core/build_info.hpp"

#include <fmt/format.h>

#include "mnist_dist/core/sha256.hpp"

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

std::string build_identity() {
  static const std::string identity =
      fmt::format("{}, executable {:.16}", build_description(), sha256_of_file("/proc/self/exe"));
  return identity;
}

}  // namespace mnist_dist
