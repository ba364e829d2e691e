// What the programs print on standard output, which may be a file on a full disk. Local; safe from any thread.
#pragma once

#include <string_view>

namespace mnist_dist {

/// Prints the text as it is; it may wait in the process for more. @throws Error (file_system)
void print_output(std::string_view text);

/// Writes a line on a terminal that stands until anything else is printed, here or in core/log.hpp, or another such
/// line takes its place. @param text shorter than the terminal is wide
void show_live_line(std::string_view text);
/// Takes it away, if there is one.
void erase_live_line();

/// Hands on what was printed. Call it where a reader waits for a line, and at the end of the program: success is no
/// success before this. @throws Error (file_system) when anything that was printed before is lost
void flush_output();

}  // namespace mnist_dist
