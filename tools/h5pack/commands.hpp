// The commands of h5pack. Each function adds one to the command line, with its options and what it does.
#pragma once

#include <CLI/CLI.hpp>

namespace mnist_dist::h5pack {

void add_pack_command(CLI::App& app);
void add_info_command(CLI::App& app);
void add_verify_command(CLI::App& app);
void add_synth_command(CLI::App& app);

/// The default of --jobs: the processors that this process may use.
[[nodiscard]] unsigned default_jobs();

}  // namespace mnist_dist::h5pack
