// Whether somebody watches. Local.
#pragma once

#include <cstddef>

namespace mnist_dist {

/// The width of the terminal on which standard output is seen; 0 where it ends in a file, a pipe, or is unknown.
///
/// isatty() does not tell: mpirun gives every rank a pseudo-terminal for its standard output, wherever that goes on to.
/// It is no rank's controlling terminal, though, and then the terminal is sought with the first process above that has
/// another standard output: mpirun's own.
[[nodiscard]] std::size_t terminal_columns();

}  // namespace mnist_dist
