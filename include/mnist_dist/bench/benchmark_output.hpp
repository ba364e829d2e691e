// What `mnist-dist bench` prints. Local.
#pragma once

#include <cstdint>
#include <string>

#include "mnist_dist/bench/benchmark.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::bench {

/// What was measured.
struct Subject {
  const train::Settings& settings;
  const data::DatasetFile& file;
  int ranks;
  std::int64_t hosts;
};

/// Tables for people, each line ended by a newline; so is the JSON.
[[nodiscard]] std::string benchmark_text(const Benchmark& benchmark, const Subject& subject);

/// One JSON object with all figures, and the machine. Units stand in the names.
[[nodiscard]] std::string benchmark_json(const Benchmark& benchmark, const Subject& subject);

}  // namespace mnist_dist::bench
