#include "mnist_dist/core/log.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

#include "mnist_dist/core/output.hpp"

namespace mnist_dist {
namespace {

struct Identity {
  std::string program = "mnist-dist";
  bool print_warnings = true;
};

Identity& identity() {
  static Identity instance;
  return instance;
}

// One write per line, so that lines of several ranks do not mix.
void print_line(const std::string& line) {
  erase_live_line();
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

}  // namespace

void set_log_identity(std::string_view program, bool print_warnings) {
  identity() = {std::string(program), print_warnings};
}

void log_warning(std::string_view message) {
  if (identity().print_warnings) print_line(fmt::format("{}: warning: {}\n", identity().program, message));
}

void log_error(std::string_view message, int rank, std::string_view host) {
  const std::string where = host.empty() ? "" : fmt::format(" (rank {} on {})", rank, host);
  print_line(fmt::format("{}: error{}: {}\n", identity().program, where, message));
}

std::string host_name() {
  std::array<char, 256> name = {};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "?";
}

}  // namespace mnist_dist
