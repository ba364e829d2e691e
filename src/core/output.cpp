#include "mnist_dist/core/output.hpp"

#include <cerrno>
#include <cstdio>

#include "mnist_dist/core/error.hpp"

namespace mnist_dist {
namespace {

[[noreturn]] void fail(int error_number) {
  throw file_error("cannot write to standard output", error_number);
}

}  // namespace

void print_output(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail(errno);
}

void flush_output() {
  if (std::fflush(stdout) != 0) fail(errno);
  if (std::ferror(stdout) != 0) fail(EIO);  // an earlier write failed, for a reason that is forgotten
}

}  // namespace mnist_dist
