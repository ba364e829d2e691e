// The commands. Each adds its options to the program and, when it was chosen, is run by what it returns.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "mnist_dist/core/error.hpp"

namespace mnist_dist::cli {

/// Runs a command after its options have been parsed; returns the exit code.
using RunCommand = std::function<int()>;

RunCommand add_train_command(CLI::App& command);
RunCommand add_launch_command(CLI::App& command);
RunCommand add_bench_command(CLI::App& command);
RunCommand add_doctor_command(CLI::App& command);
RunCommand add_evaluate_command(CLI::App& command);
RunCommand add_report_command(CLI::App& command);
RunCommand add_predict_command(CLI::App& command);
RunCommand add_preview_command(CLI::App& command);
RunCommand add_info_command(CLI::App& command);
RunCommand add_runs_command(CLI::App& command);
RunCommand add_compare_command(CLI::App& command);
RunCommand add_remove_command(CLI::App& command);
RunCommand add_reproduce_command(CLI::App& command);

/// The names of those that run with many ranks.
std::vector<std::string> parallel_commands();

/// The exit codes of a command that has such a name.
std::vector<ExitCode> codes_of(const std::string& command);

}  // namespace mnist_dist::cli
