#include "mnist_dist/core/file_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace mnist_dist {
namespace {

struct flock lock_of(short type, long byte) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

int set_lock(int descriptor, int command, short type, long byte) {
  struct flock lock = lock_of(type, byte);
  return fcntl(descriptor, command, &lock);
}

}  // namespace

LockOutcome lock_byte(int descriptor, long byte, bool wait) {
  while (set_lock(descriptor, wait ? F_OFD_SETLKW : F_OFD_SETLK, F_WRLCK, byte) != 0) {
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EACCES ? LockOutcome::anothers : LockOutcome::not_supported;
  }
  return LockOutcome::ours;
}

void unlock_byte(int descriptor, long byte) {
  set_lock(descriptor, F_OFD_SETLK, F_UNLCK, byte);
}

bool is_locked_by_another(int descriptor, long byte) {
  struct flock lock = lock_of(F_WRLCK, byte);
  return fcntl(descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool leads_to(const char* path, int descriptor) {
  struct stat opened {};
  struct stat found {};
  return fstat(descriptor, &opened) == 0 && stat(path, &found) == 0 && opened.st_dev == found.st_dev &&
         opened.st_ino == found.st_ino;
}

}  // namespace mnist_dist
