#include "mnist_dist/run/free_space.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/memory.hpp"
#include "mnist_dist/run/checkpoint_store.hpp"
#include "mnist_dist/train/memory_estimate.hpp"

namespace mnist_dist::run {
namespace {

// HDF5's own structures, and the texts beside the parameters.
constexpr std::uint64_t kOtherBytesOfFile = 16384;
// config.toml, both metrics and what the file system rounds up.
constexpr std::uint64_t kSmallFiles = 65536;

std::uint64_t bytes_in(const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code ignored;  // a file may go while it is looked at
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, ignored)) {
    if (entry.is_regular_file(ignored)) bytes += entry.file_size(ignored);
  }
  return bytes;
}

}  // namespace

std::uint64_t bytes_of_run(const train::Settings& settings, const nn::Architecture& architecture) {
  const std::uint64_t vector = sizeof(float) * nn::parameter_count(architecture);
  const std::uint64_t vectors = 2 + train::optimizer_vectors(settings);  // the parameters and the best ones
  const std::uint64_t checkpoint = vectors * vector + kOtherBytesOfFile;
  const std::uint64_t model = vector + 2 * sizeof(float) * architecture.inputs + kOtherBytesOfFile;
  return (CheckpointStore::kKept + 1) * checkpoint + 2 * model + kSmallFiles;
}

void check_free_space(const RunFolder& folder, const train::Settings& settings, const nn::Architecture& architecture) {
  std::error_code unknown;
  const std::filesystem::space_info space = std::filesystem::space(folder.path(), unknown);
  if (unknown) return;  // a file system that does not tell; writing will
  const std::uint64_t needed = bytes_of_run(settings, architecture);
  const std::uint64_t room = space.available + bytes_in(folder.path());
  if (room >= needed) return;
  const std::string name = printable(folder.path().string());
  throw Error(ExitCode::file_system,
              fmt::format("{}: the run takes up to {} on the disk for its checkpoints and its model, and there is room "
                          "for {}: make room, then go on with --resume {}",
                          name, as_memory(static_cast<double>(needed)), as_memory(static_cast<double>(room)), name));
}

}  // namespace mnist_dist::run
