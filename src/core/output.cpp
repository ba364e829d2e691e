#include "mnist_dist/core/output.hpp"

#include <cerrno>
#include <cstdio>
#include <mutex>

#include "mnist_dist/core/error.hpp"

namespace mnist_dist {
namespace {

// Several threads print: the one that trains, and the one that writes a run's files.
std::mutex& mutex() {
  static std::mutex instance;
  return instance;
}
bool live_line_shown = false;

/// What cannot be written now is noticed by flush_output().
void erase() {
  if (live_line_shown) std::fputs("\r\x1b[K", stdout);
  live_line_shown = false;
}

[[noreturn]] void fail(int error_number) {
  throw file_error("cannot write to standard output", error_number);
}

}  // namespace

void print_output(std::string_view text) {
  const std::lock_guard lock(mutex());
  erase();
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail(errno);
}

void show_live_line(std::string_view text) {
  const std::lock_guard lock(mutex());
  erase();
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  live_line_shown = true;
}

void erase_live_line() {
  const std::lock_guard lock(mutex());
  if (!live_line_shown) return;
  erase();
  std::fflush(stdout);
}

void flush_output() {
  if (std::fflush(stdout) != 0) fail(errno);
  if (std::ferror(stdout) != 0) fail(EIO);  // an earlier write failed, for a reason that is forgotten
}

}  // namespace mnist_dist
