// Locks of files, which the system gives up when the process ends, however it ends. Local.
//
// They are open file description locks (fcntl F_OFD_SETLK). Other hosts on NFS know of them, as they may not of
// flock(); and closing another descriptor of the file does not lose them, as it loses POSIX record locks.
#pragma once

namespace mnist_dist {

enum class LockOutcome {
  ours,
  anothers,
  not_supported,  ///< by the file system; errno says more
};

/// Locks a byte of the file, which need not exist, against everybody else who opened the file.
/// @param descriptor open for writing; the lock ends when it is closed  @param wait until it is not another's
[[nodiscard]] LockOutcome lock_byte(int descriptor, long byte, bool wait);

void unlock_byte(int descriptor, long byte);

/// Whether somebody else who opened the file has locked the byte. It is enough to be able to read the file.
[[nodiscard]] bool is_locked_by_another(int descriptor, long byte);

/// Whether `path` leads to the file that is open as `descriptor`, and not to another one or nowhere.
[[nodiscard]] bool leads_to(const char* path, int descriptor);

}  // namespace mnist_dist
