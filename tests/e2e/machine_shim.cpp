// Makes another machine of this one (by LD_PRELOAD), for a program that looks at it. Environment:
//
//   MACHINE_NO_LOCKS=1     fcntl() locks nothing, as on file systems that do not have locks
//   MACHINE_LOCAL_LOCKS=1  fcntl() locks everything, as where each host has locks of its own
//   MACHINE_CLOCK_AHEAD=N  the clock is N seconds ahead
//   MACHINE_NO_READING=1   process_vm_readv() is not allowed
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <ctime>

extern "C" {

int fcntl(int descriptor, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  const bool locks = command == F_OFD_SETLK || command == F_OFD_SETLKW;
  if (locks && std::getenv("MACHINE_NO_LOCKS") != nullptr) {
    errno = ENOSYS;
    return -1;
  }
  if (locks && std::getenv("MACHINE_LOCAL_LOCKS") != nullptr) return 0;
  static auto* const real = reinterpret_cast<int (*)(int, int, ...)>(dlsym(RTLD_NEXT, "fcntl"));
  return real(descriptor, command, argument);
}

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static auto* const real = reinterpret_cast<int (*)(clockid_t, timespec*)>(dlsym(RTLD_NEXT, "clock_gettime"));
  const int result = real(clock, time);
  const char* ahead = clock == CLOCK_REALTIME ? std::getenv("MACHINE_CLOCK_AHEAD") : nullptr;
  if (ahead != nullptr) time->tv_sec += std::atol(ahead);
  return result;
}

ssize_t process_vm_readv(pid_t process, const iovec* here, unsigned long here_count, const iovec* there,
                         unsigned long there_count, unsigned long flags) noexcept {
  if (std::getenv("MACHINE_NO_READING") != nullptr) {
    errno = EPERM;
    return -1;
  }
  return syscall(SYS_process_vm_readv, process, here, here_count, there, there_count, flags);
}

}  // extern "C"
