// What `train` and `reproduce` have in common: a run from its start to its end, with a line for each epoch.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "job.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/run/training_run.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::cli {

/// What all ranks need to know of where to start.
struct Start {
  train::Settings settings;
  std::set<std::string> given;           // names of the settings that somebody chose
  std::set<std::string> of_recipe;       // names of the settings that the recipe of a new run decided
  std::optional<run::RunFolder> folder;  // at rank 0, of a run that is resumed
  std::optional<run::Checkpoint> checkpoint;
};

/// Collective: trains, and rank 0 prints how it goes. @param start gets the folder of a new run, at rank 0
/// @param output the folder of a new run; "" for runs/<UTC time>
run::TrainingRun::End train_run(const Ranks& ranks, Start& start, const data::DatasetFile& file,
                                const std::string& output);

}  // namespace mnist_dist::cli
