// What the commands that run on many ranks have in common: their ranks, the data set, and what they say of both.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host_list.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/run/model.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::cli {

/// The ranks of the job.
struct Ranks {
  /// Collective.
  Ranks();

  comm::Communicator world;        ///< all, numbered host by host
  comm::Communicator host;         ///< those that share this rank's memory
  std::int64_t hosts;              ///< how many there are
  std::vector<HostRanks> by_host;  ///< at rank 0; none elsewhere
};

/// Local: how long ranks wait for one that is stopped.
void add_hang_timeout(CLI::App& command, int& seconds);

/// Collective, before all else: that all ranks are the same program and were told the same. @param command its name,
/// with what goes beyond settings  @throws AgreedError (usage)
void check_same_command(const std::string& command);

/// Collective: that all ranks have these settings, but for the places of files, and compute them alike.
/// @throws AgreedError (usage)
void check_same_settings(const comm::Communicator& world, const train::Settings& settings);

/// Local: that a data set is there, for whoever has none yet. @throws Error (file_system) with the way to get one
void check_data_there(const std::string& path);

/// Collective: opens the data set at every rank. @throws AgreedError, also where it is not the same one everywhere
/// @param host the ranks that share this rank's memory
[[nodiscard]] data::DatasetFile open_data(const comm::Communicator& world, const comm::Communicator& host,
                                          const std::string& path);

/// Local: that a model is for images of this size. @param model_path what errors call the model
/// @throws Error (bad_data) naming both sizes
void check_image_shape(const run::Model& model, const data::DatasetFile& file, const std::string& model_path);

/// Local: that a model is for images of this size and these classes. @param model_path what errors call the model
/// @throws Error (bad_data) saying what does not fit
void check_fit(const run::Model& model, const data::DatasetFile& file, const std::string& model_path);

/// Local: the data set that the config.toml beside a model names, for whoever names none.
/// @throws Error file_system: it is not there; usage: config.toml is wrong
[[nodiscard]] std::string data_of_run(const std::filesystem::path& model_path);

/// Local: a warning where a run's data set, found by data_of_run(), is not the one that the model was trained on.
void warn_of_other_data(const run::Model& model, const data::DatasetFile& file,
                        const std::filesystem::path& model_path);

/// Local: all test images. @throws Error (bad_data) where there are none, with the ways out
[[nodiscard]] std::vector<std::uint64_t> test_rows(const data::DatasetFile& file);

/// Local: which program, network, data set, recipe, optimiser and ranks these are, a line each.
[[nodiscard]] std::string job_header(const train::Settings& settings, const data::DatasetFile& file,
                                     const Ranks& ranks);

/// Local: what to say where OpenBLAS does not know this processor, and computes as on the oldest one that it knows; ""
/// where it does.
[[nodiscard]] std::string slow_blas();
/// Local: a warning of it.
void warn_of_slow_blas();

/// Local: prints the line at once, also where standard output is a file or a pipe.
void print_line(const std::string& line);

}  // namespace mnist_dist::cli
