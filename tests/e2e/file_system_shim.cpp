// Stands between a program (by LD_PRELOAD) and the file system. It writes down what the program does to files, in
// order, and makes calls fail that the test names. Environment:
//
//   FILE_SYSTEM_LOG=FILE     one line per call that succeeded, its fields divided by tabs:
//                              open FD PATH (with "O_TMPFILE" or "O_CREAT" where so asked) | write FD | fsync FD |
//                              close FD | linkat FROM TO | rename FROM TO
//                            and "interrupted CALL" for each one that failed so
//   FILE_SYSTEM_NO_TMPFILE=1 open() with O_TMPFILE fails as on file systems that do not have it
//   FILE_SYSTEM_NO_LOCKS=1   fcntl() locks nothing, as on file systems that do not have locks
//   FILE_SYSTEM_INTERRUPTED=FOLDER (an absolute path without links)
//                            every call for a file in this folder fails with EINTR, and succeeds when it is made again;
//                            close() closes all the same, as Linux does
//   FILE_SYSTEM_HOLD=FILE    open() of this file makes FILE.held, and waits until somebody removes it
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

/// The C library's own function of a name.
template <class Function>
Function* original(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

int open_log() {
  const char* path = std::getenv("FILE_SYSTEM_LOG");
  if (path == nullptr) return -1;
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0666));
}

/// One system call a line, so that the lines of several threads do not mix. Leaves errno as it is.
void log(const std::string& line) {
  static const int descriptor = open_log();
  if (descriptor < 0) return;
  const int error_number = errno;
  const std::string whole = line + "\n";
  if (syscall(SYS_write, descriptor, whole.data(), whole.size()) != static_cast<long>(whole.size())) std::abort();
  errno = error_number;
}

bool has_all(int flags, int wanted) {
  return (flags & wanted) == wanted;
}

std::string path_of(int descriptor) {
  char path[PATH_MAX];
  const ssize_t size = readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), path, sizeof(path));
  return {path, static_cast<std::size_t>(size < 0 ? 0 : size)};
}

std::string absolute(const std::string& path) {
  if (path.starts_with("/proc/self/fd/")) return path_of(std::stoi(path.substr(14)));
  char folder[PATH_MAX];
  if (path.starts_with("/") || getcwd(folder, sizeof(folder)) == nullptr) return path;
  return std::string(folder) + "/" + path;
}

/// Whether the call shall fail. @param before whether this thread's last call of this kind was made to fail
bool interrupt(bool& before, const char* call, const std::string& path) {
  static const char* const folder = std::getenv("FILE_SYSTEM_INTERRUPTED");
  if (folder == nullptr || !path.starts_with(folder)) return false;
  before = !before;
  if (before) log(std::string("interrupted\t") + call);
  if (before) errno = EINTR;
  return before;
}

ssize_t logged_write(ssize_t written, int descriptor) {
  if (written > 0) log("write\t" + std::to_string(descriptor));
  return written;
}

void hold(const char* path) {
  const char* held_path = std::getenv("FILE_SYSTEM_HOLD");
  if (held_path == nullptr || std::strcmp(path, held_path) != 0) return;
  const std::string sign = std::string(path) + ".held";
  syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, sign.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
  while (access(sign.c_str(), F_OK) == 0) usleep(10000);
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if (has_all(flags, O_TMPFILE) || has_all(flags, O_CREAT)) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
  }
  hold(path);
  if (has_all(flags, O_TMPFILE) && std::getenv("FILE_SYSTEM_NO_TMPFILE") != nullptr) {
    errno = EOPNOTSUPP;
    return -1;
  }
  thread_local bool interrupted = false;
  if (interrupt(interrupted, "open", absolute(path))) return -1;
  static auto* const real = original<int(const char*, int, ...)>("open");
  const int descriptor = real(path, flags, mode);
  if (descriptor >= 0) {
    const char* kind = has_all(flags, O_TMPFILE) ? "\tO_TMPFILE" : has_all(flags, O_CREAT) ? "\tO_CREAT" : "";
    log("open\t" + std::to_string(descriptor) + "\t" + path + kind);
  }
  return descriptor;
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  thread_local bool interrupted = false;
  if (interrupt(interrupted, "write", path_of(descriptor))) return -1;
  static auto* const real = original<ssize_t(int, const void*, size_t)>("write");
  return logged_write(real(descriptor, bytes, size), descriptor);
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
  thread_local bool interrupted = false;
  if (interrupt(interrupted, "pwrite", path_of(descriptor))) return -1;
  static auto* const real = original<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return logged_write(real(descriptor, bytes, size, offset), descriptor);
}

ssize_t read(int descriptor, void* bytes, size_t size) {
  thread_local bool interrupted = false;
  if (interrupt(interrupted, "read", path_of(descriptor))) return -1;
  static auto* const real = original<ssize_t(int, void*, size_t)>("read");
  return real(descriptor, bytes, size);
}

ssize_t pread(int descriptor, void* bytes, size_t size, off_t offset) {
  thread_local bool interrupted = false;
  if (interrupt(interrupted, "pread", path_of(descriptor))) return -1;
  static auto* const real = original<ssize_t(int, void*, size_t, off_t)>("pread");
  return real(descriptor, bytes, size, offset);
}

int mkdir(const char* path, mode_t mode) noexcept {
  thread_local bool interrupted = false;
  if (interrupt(interrupted, "mkdir", absolute(path))) return -1;
  static auto* const real = original<int(const char*, mode_t)>("mkdir");
  return real(path, mode);
}

int fsync(int descriptor) {
  thread_local bool interrupted = false;
  if (interrupt(interrupted, "fsync", path_of(descriptor))) return -1;
  static auto* const real = original<int(int)>("fsync");
  const int result = real(descriptor);
  if (result == 0) log("fsync\t" + std::to_string(descriptor));
  return result;
}

int close(int descriptor) {
  static auto* const real = original<int(int)>("close");
  bool interrupted = false;  // whoever makes the call again gets EBADF
  const bool fails = interrupt(interrupted, "close", path_of(descriptor));
  log("close\t" + std::to_string(descriptor));  // before another thread can get the same number
  const int result = real(descriptor);
  if (fails) errno = EINTR;
  return fails ? -1 : result;
}

int fcntl(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  const bool locks = command == F_OFD_SETLK || command == F_OFD_SETLKW;
  if (locks && std::getenv("FILE_SYSTEM_NO_LOCKS") != nullptr) {
    errno = ENOSYS;
    return -1;
  }
  static auto* const real = original<int(int, int, ...)>("fcntl");
  return real(descriptor, command, argument);
}

int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) {
  thread_local bool interrupted = false;
  if (interrupt(interrupted, "linkat", absolute(to))) return -1;
  static auto* const real = original<int(int, const char*, int, const char*, int)>("linkat");
  const int result = real(from_folder, from, to_folder, to, flags);
  if (result == 0) log(std::string("linkat\t") + from + "\t" + to);
  return result;
}

int rename(const char* from, const char* to) noexcept {
  thread_local bool interrupted = false;
  if (interrupt(interrupted, "rename", absolute(to))) return -1;
  static auto* const real = original<int(const char*, const char*)>("rename");
  const int result = real(from, to);
  if (result == 0) log(std::string("rename\t") + from + "\t" + to);
  return result;
}

}  // extern "C"
