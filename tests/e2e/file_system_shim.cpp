// Stands between a program (by LD_PRELOAD) and the file system. It writes down what the program does to files, in
// order, and makes calls fail that the test names. Environment:
//
//   FILE_SYSTEM_LOG=FILE     one line per call that succeeded, its fields divided by tabs:
//                              open FD PATH (with "O_TMPFILE" or "O_CREAT" where so asked) |
//                              write FD PLACE SIZE | fsync FD | close FD | ftruncate FD SIZE | mkdir PATH |
//                              linkat FROM TO | symlink TEXT PATH | rename FROM TO | unlink PATH
//                            and "call NAME PATH" before each call for a file in the folder below, "struck NAME PATH"
//                            where a fault strikes it
//   FILE_SYSTEM_BYTES=FILE   what is written goes there, too, to the place that the log gives
//   FILE_SYSTEM_NO_TMPFILE=1 open() with O_TMPFILE fails as on file systems that do not have it
//   FILE_SYSTEM_FOLDER=FOLDER (an absolute path without links) and
//   FILE_SYSTEM_FAULT=WHAT   a fault in calls for files in this folder. An error, such as ENOSPC: the call fails so
//                            (close() closes all the same, as Linux does). "short": half of the bytes are written.
//                            "kill-before", "kill-after": the process ends by SIGKILL
//   FILE_SYSTEM_FAULT_AT=N   at the N-th of these calls; "N+": and from then on; "each": at every one, but not when it
//                            is made again
//   FILE_SYSTEM_HOLD=FILE    open() of this file makes FILE.held, and waits until somebody removes it
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <string_view>

namespace {

/// The C library's own function of a name.
template <class Function>
Function* original(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// @return negative when the variable names no file
int open_for_appending(const char* variable_name) {
  const char* path = std::getenv(variable_name);
  if (path == nullptr) return -1;
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0666));
}

/// One system call, so that what several threads write does not mix. Leaves errno as it is.
void append(int descriptor, const void* bytes, std::size_t size) {
  if (descriptor < 0) return;
  const int error_number = errno;
  if (syscall(SYS_write, descriptor, bytes, size) != static_cast<long>(size)) std::abort();
  errno = error_number;
}

template <class... Fields>
void log(const Fields&... fields) {
  static const int descriptor = open_for_appending("FILE_SYSTEM_LOG");
  std::string line;
  ((line.append(fields), line.push_back('\t')), ...);
  line.back() = '\n';
  append(descriptor, line.data(), line.size());
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

int error_named(std::string_view name) {
  static constexpr struct {
    std::string_view name;
    int number;
  } kErrors[] = {{"EINTR", EINTR}, {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EROFS", EROFS}};
  for (const auto& error : kErrors) {
    if (error.name == name) return error.number;
  }
  std::fprintf(stderr, "file_system_shim: FILE_SYSTEM_FAULT has an unknown value\n");
  std::abort();
}

/// Whether the fault strikes this call. Counts the calls of the process.
bool is_struck(const char* name) {
  static std::atomic<long> calls{0};
  thread_local const char* last_struck = "";
  const long number = ++calls;
  static const std::string at(variable("FILE_SYSTEM_FAULT_AT"));
  if (at == "each") {
    last_struck = std::strcmp(last_struck, name) == 0 ? "" : name;
    return *last_struck != '\0';
  }
  const long wanted = std::atol(at.c_str());
  return wanted > 0 && (number == wanted || (number > wanted && at.ends_with('+')));
}

[[noreturn]] void die() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/// Makes the call, or what the fault makes of it. @param call is told whether to do half of its work only
template <class Call>
auto make(const char* name, const std::string& path, const Call& call) -> decltype(call(false)) {
  static const std::string folder(variable("FILE_SYSTEM_FOLDER"));
  if (folder.empty() || !path.starts_with(folder)) return call(false);
  log("call", name, path);
  if (!is_struck(name)) return call(false);
  log("struck", name, path);
  static const std::string fault(variable("FILE_SYSTEM_FAULT"));
  if (fault == "kill-before") die();
  if (fault == "short") return call(true);
  if (fault == "kill-after") {
    call(false);
    die();
  }
  const int error_number = error_named(fault);
  if (std::strcmp(name, "close") == 0) call(false);
  errno = error_number;
  return -1;
}

/// Of a file that is written from its begin to its end.
ssize_t logged_write(ssize_t written, int descriptor, const void* bytes) {
  static const int copy = open_for_appending("FILE_SYSTEM_BYTES");
  static std::mutex one_at_a_time;
  if (written <= 0) return written;
  const std::lock_guard lock(one_at_a_time);
  const std::string place = std::to_string(copy < 0 ? 0 : lseek(copy, 0, SEEK_END));
  append(copy, bytes, static_cast<std::size_t>(written));
  log("write", std::to_string(descriptor), place, std::to_string(written));
  return written;
}

template <class... Fields>
int logged(int result, const Fields&... fields) {
  if (result == 0) log(fields...);
  return result;
}

void hold(const char* path) {
  const char* held_path = std::getenv("FILE_SYSTEM_HOLD");
  if (held_path == nullptr || std::strcmp(path, held_path) != 0) return;
  const std::string sign = std::string(path) + ".held";
  syscall(SYS_close, syscall(SYS_openat, AT_FDCWD, sign.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
  while (access(sign.c_str(), F_OK) == 0) usleep(10000);
}

int take_away(const char* function, const char* path) {
  return make("unlink", absolute(path),
              [&](bool) { return logged(original<int(const char*)>(function)(path), "unlink", path); });
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
  return make("open", absolute(path), [&](bool) {
    static auto* const real = original<int(const char*, int, ...)>("open");
    const int descriptor = real(path, flags, mode);
    const char* kind = has_all(flags, O_TMPFILE) ? "O_TMPFILE" : has_all(flags, O_CREAT) ? "O_CREAT" : "";
    if (descriptor >= 0) log("open", std::to_string(descriptor), path, kind);
    return descriptor;
  });
}

ssize_t write(int descriptor, const void* bytes, size_t size) {
  return make("write", path_of(descriptor), [&](bool half) {
    static auto* const real = original<ssize_t(int, const void*, size_t)>("write");
    return logged_write(real(descriptor, bytes, half ? (size + 1) / 2 : size), descriptor, bytes);
  });
}

ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
  return make("pwrite", path_of(descriptor), [&](bool half) {
    static auto* const real = original<ssize_t(int, const void*, size_t, off_t)>("pwrite");
    return logged_write(real(descriptor, bytes, half ? (size + 1) / 2 : size, offset), descriptor, bytes);
  });
}

ssize_t read(int descriptor, void* bytes, size_t size) {
  return make("read", path_of(descriptor), [&](bool half) {
    static auto* const real = original<ssize_t(int, void*, size_t)>("read");
    return real(descriptor, bytes, half ? (size + 1) / 2 : size);
  });
}

ssize_t pread(int descriptor, void* bytes, size_t size, off_t offset) {
  return make("pread", path_of(descriptor), [&](bool half) {
    static auto* const real = original<ssize_t(int, void*, size_t, off_t)>("pread");
    return real(descriptor, bytes, half ? (size + 1) / 2 : size, offset);
  });
}

int ftruncate(int descriptor, off_t size) noexcept {
  return make("ftruncate", path_of(descriptor), [&](bool) {
    static auto* const real = original<int(int, off_t)>("ftruncate");
    return logged(real(descriptor, size), "ftruncate", std::to_string(descriptor), std::to_string(size));
  });
}

int fsync(int descriptor) {
  return make("fsync", path_of(descriptor), [&](bool) {
    static auto* const real = original<int(int)>("fsync");
    return logged(real(descriptor), "fsync", std::to_string(descriptor));
  });
}

int close(int descriptor) {
  return make("close", path_of(descriptor), [&](bool) {
    static auto* const real = original<int(int)>("close");
    log("close", std::to_string(descriptor));  // before another thread can get the same number
    return real(descriptor);
  });
}

int mkdir(const char* path, mode_t mode) noexcept {
  return make("mkdir", absolute(path), [&](bool) {
    static auto* const real = original<int(const char*, mode_t)>("mkdir");
    return logged(real(path, mode), "mkdir", path);
  });
}

int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  return make("linkat", absolute(to), [&](bool) {
    static auto* const real = original<int(int, const char*, int, const char*, int)>("linkat");
    return logged(real(from_folder, from, to_folder, to, flags), "linkat", from, to);
  });
}

int symlink(const char* text, const char* path) noexcept {
  return make("symlink", absolute(path), [&](bool) {
    static auto* const real = original<int(const char*, const char*)>("symlink");
    return logged(real(text, path), "symlink", text, path);
  });
}

int rename(const char* from, const char* to) noexcept {
  return make("rename", absolute(to), [&](bool) {
    static auto* const real = original<int(const char*, const char*)>("rename");
    return logged(real(from, to), "rename", from, to);
  });
}

int unlink(const char* path) noexcept {
  return take_away("unlink", path);
}

int remove(const char* path) noexcept {
  return take_away("remove", path);
}

}  // extern "C"
