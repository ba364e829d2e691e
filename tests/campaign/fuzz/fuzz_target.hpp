// What the fuzz targets share: what a reader may do with any input at all.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string>

#include "mnist_dist/core/error.hpp"

namespace mnist_dist::fuzz {

/// Ends the process in a way that the fuzzer takes for a crash, and keeps the input.
[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "WRONG: %s\n", what.c_str());
  std::abort();
}

inline void require(bool condition, const char* what) {
  if (!condition) fail(what);
}

/// For what programs print of a file.
inline void require_printable(std::initializer_list<std::string> texts) {
  for (const std::string& text : texts) require(text == printable(text), "a text steers the terminal");
}

/// Calls `read`, which returns, or throws an Error of one of these kinds with a message of one printable line. Any
/// other exception ends the process.
template <class Read>
void read_anything(std::initializer_list<ExitCode> kinds, Read&& read) {
  try {
    read();
  } catch (const Error& error) {
    const std::string message = error.what();
    if (std::ranges::find(kinds, error.exit_code()) == kinds.end()) {
      fail("exit code " + std::to_string(static_cast<int>(error.exit_code())) + ": " + message);
    }
    if (message.empty() || message != printable(message)) fail("not one printable line: " + message);
  }
}

}  // namespace mnist_dist::fuzz
