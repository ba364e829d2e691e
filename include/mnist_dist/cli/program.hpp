// The command line of mnist-dist: one file per command, each of which reads as numbered steps.
#pragma once

namespace mnist_dist::cli {

/// Runs the command that the arguments name. @return the exit code
/// @throws Error and whatever else goes wrong, for `main` to report
int run_program(int argc, const char* const* argv);

}  // namespace mnist_dist::cli
