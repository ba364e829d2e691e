#include "mnist_dist/core/terminal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>

namespace mnist_dist {
namespace {

constexpr std::size_t kUsualColumns = 80;

std::size_t columns_of(int file) {
  if (isatty(file) == 0) return 0;
  winsize size{};
  return ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kUsualColumns;
}

/// The id of a process's parent; 0 where it is unknown.
pid_t parent_of(pid_t process) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  for (std::string word; status >> word;) {
    pid_t parent = 0;
    if (word == "PPid:" && status >> parent) return parent;
  }
  return 0;
}

/// The columns of the standard output of the first process above that does not share ours.
std::size_t columns_above() {
  struct stat own {};
  if (fstat(STDOUT_FILENO, &own) != 0) return 0;
  for (pid_t process = getppid(); process > 0; process = parent_of(process)) {
    const std::string name = fmt::format("/proc/{}/fd/1", process);
    struct stat other {};
    if (stat(name.c_str(), &other) != 0) return 0;
    if (S_ISCHR(other.st_mode) && other.st_rdev == own.st_rdev) continue;
    if (!S_ISCHR(other.st_mode)) return 0;
    const int file = open(name.c_str(), O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return 0;
    const std::size_t columns = columns_of(file);
    close(file);
    return columns;
  }
  return 0;
}

}  // namespace

std::size_t terminal_columns() {
  const char* kind = std::getenv("TERM");
  if (kind != nullptr && std::string_view(kind) == "dumb") return 0;  // it does not know how to erase a line
  if (isatty(STDOUT_FILENO) == 0) return 0;
  return tcgetpgrp(STDOUT_FILENO) >= 0 ? columns_of(STDOUT_FILENO) : columns_above();
}

}  // namespace mnist_dist
