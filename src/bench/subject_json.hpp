// What was measured, as JSON.
#pragma once

#include <nlohmann/json.hpp>

#include "mnist_dist/bench/benchmark_output.hpp"

namespace mnist_dist::bench {

using Json = nlohmann::ordered_json;

[[nodiscard]] Json machine_json(const Subject& subject);
[[nodiscard]] Json run_json(const train::Settings& settings, const data::DatasetFile& file);

/// The text of an object, ended by a newline.
[[nodiscard]] std::string json_text(const Json& json);

}  // namespace mnist_dist::bench
