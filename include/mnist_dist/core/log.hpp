// Lines for the user on standard error. Local; safe from any thread.
#pragma once

#include <string>
#include <string_view>

namespace mnist_dist {

/// Sets the name that every line begins with (default "mnist-dist") and whether warnings are printed at all
/// (rank 0 prints those that all ranks would repeat).
void set_log_identity(std::string_view program, bool print_warnings = true);

/// "PROGRAM: warning: MESSAGE".
void log_warning(std::string_view message);

/// "PROGRAM: error: MESSAGE", or "PROGRAM: error (rank R on HOST): MESSAGE" where a host is given.
void log_error(std::string_view message, int rank = 0, std::string_view host = {});

/// This machine's.
[[nodiscard]] std::string host_name();

}  // namespace mnist_dist
