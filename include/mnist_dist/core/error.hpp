// How everything fails: an exception whose message is one line for the user, and the exit code it leads to.
// Only `main` catches it.
#pragma once

#include <stdexcept>
#include <string>

namespace mnist_dist {

/// The exit codes of `mnist-dist` and `h5pack`.
enum class ExitCode : int {
  done = 0,
  usage = 2,           ///< the command line or a configuration file is wrong
  bad_data = 3,        ///< an input file is not what it should be
  file_system = 4,     ///< a file cannot be read, written or found
  rank_failed = 5,     ///< a rank failed or hung
  other_bits = 6,      ///< a run was reproduced, and ended in other bits
  unhealthy = 7,       ///< doctor found what would go wrong
  bug = 70,            ///< a fault of the program itself
  stopped_early = 75,  ///< stopped on request with a checkpoint saved: run it again to go on
};

/// A failure with a message of one line that names the file, the value and the way out.
class Error : public std::runtime_error {
 public:
  Error(ExitCode exit_code, const std::string& message) : std::runtime_error(message), exit_code_(exit_code) {}
  [[nodiscard]] ExitCode exit_code() const noexcept { return exit_code_; }

 private:
  ExitCode exit_code_;
};

/// A file-system failure: `action` (such as "cannot open data.h5"), then what the system says of
/// `error_number`.
[[nodiscard]] Error file_error(const std::string& action, int error_number);

/// `name` in the form in which it is safe to print on one line: control characters become '?'.
[[nodiscard]] std::string printable(const std::string& name);

}  // namespace mnist_dist
