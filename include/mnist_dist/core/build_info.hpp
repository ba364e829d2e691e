// Which program this is, for `--version`, checkpoints and reports.
#pragma once

#include <string>

namespace mnist_dist {

/// The version, such as "1.0.0".
[[nodiscard]] std::string version();

/// The version and the compiler, such as "mnist-dist 1.0.0, GCC 12.2.0".
[[nodiscard]] std::string build_description();

/// The above and the beginning of the linker's build id: other programs may compute other bits. An installed or
/// stripped copy is the same program. "unknown" where the linker gave none.
[[nodiscard]] std::string build_identity();

}  // namespace mnist_dist
