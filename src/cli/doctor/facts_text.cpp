#include <nlohmann/json.hpp>

#include "gathering.hpp"

namespace mnist_dist::cli::doctor {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RankFacts, rank, cpus, arithmetic, reading_error)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(HostFacts, name, vectors, slow_blas, cores, variables, munge_is_silent,
                                   shared_memory, shared_memory_free, shared_memory_needed, memory_needed, memory,
                                   data_error, content_sha256, sees_folder, sees_lock, ranks)

namespace {

/// The name of a file need not be UTF-8.
std::string dumped(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string to_text(const RankFacts& facts) {
  return dumped(facts);
}

std::string to_text(const HostFacts& facts) {
  return dumped(facts);
}

void from_text(const std::string& text, RankFacts& facts) {
  nlohmann::json::parse(text).get_to(facts);
}

void from_text(const std::string& text, HostFacts& facts) {
  nlohmann::json::parse(text).get_to(facts);
}

}  // namespace mnist_dist::cli::doctor
