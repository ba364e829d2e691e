// System calls that are made again when something interrupted them (EINTR): a signal, or the server of a file system.
// Local.
#pragma once

#include <cerrno>
#include <system_error>

namespace mnist_dist {

/// @param call makes a system call, and says by a negative number that it failed for the reason in errno
/// @return what the call gave when it was not interrupted
template <class Call>
auto retry(const Call& call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

/// The same for a function of std::filesystem that says in `failed` why it failed.
template <class Call>
void retry(std::error_code& failed, const Call& call) {
  do {
    call();
  } while (failed == std::errc::interrupted);
}

/// close(), which is never made again: Linux closes a descriptor also when it is interrupted, and another thread may
/// have its number by now. @return negative on failure: errno says why
[[nodiscard]] int close_once(int descriptor);

}  // namespace mnist_dist
