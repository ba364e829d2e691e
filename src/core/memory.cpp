#include "mnist_dist/core/memory.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "mnist_dist/core/error.hpp"

namespace mnist_dist {

std::string as_memory(double bytes) {
  if (bytes >= 1e12) return fmt::format("{:.1f} TB", bytes / 1e12);
  if (bytes >= 1e9) return fmt::format("{:.1f} GB", bytes / 1e9);
  return fmt::format("{:.1f} MB", bytes / 1e6);
}

double physical_memory() {
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

void throw_out_of_memory(std::string_view what, std::size_t bytes) {
  throw Error(ExitCode::rank_failed,
              fmt::format("out of memory: there are no {} for {}; use more hosts, or smaller --hidden and --batch-size",
                          as_memory(static_cast<double>(bytes)), what));
}

}  // namespace mnist_dist
