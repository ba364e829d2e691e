// What `mnist-dist bench` prints. Local.
#pragma once

#include <string>

#include "job.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/train/benchmark.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::cli {

/// Tables for people, each line ended by a newline; so is the JSON.
[[nodiscard]] std::string benchmark_text(const train::Benchmark& benchmark, const train::Settings& settings,
                                         const data::DatasetFile& file, const Ranks& ranks);

/// One JSON object with all figures, and the machine. Units stand in the names.
[[nodiscard]] std::string benchmark_json(const train::Benchmark& benchmark, const train::Settings& settings,
                                         const data::DatasetFile& file, const Ranks& ranks);

}  // namespace mnist_dist::cli
