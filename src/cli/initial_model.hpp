// The model that a training begins with, where --init-from names one.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/run/model.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::cli {

/// Local: the model's file without links, such as runs/latest, which lead elsewhere tomorrow.
[[nodiscard]] std::string initial_model_file(const std::string& path);

/// Collective: reads the model, and gives the settings its network and the file's place without links; nothing where
/// the settings name no model. @param given names of the settings that somebody chose
/// @throws AgreedError: no model, damaged, not the same one at all ranks, of other images, or of another network
[[nodiscard]] std::optional<run::Model> open_initial_model(const comm::Communicator& world,
                                                           const std::set<std::string>& given,
                                                           const data::DatasetFile& file, train::Settings& settings);

/// Local: which model it is, and what of it is kept. A line.
[[nodiscard]] std::string start_line(const run::Model& model, const data::DatasetFile& file,
                                     const train::Settings& settings);

}  // namespace mnist_dist::cli
