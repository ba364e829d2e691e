#include "mnist_dist/run/run_folder.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"

namespace mnist_dist::run {
namespace {

std::filesystem::path unused_name_by_time() {
  const std::string time = fmt::format("{:%Y-%m-%dT%H-%M-%SZ}", fmt::gmtime(std::time(nullptr)));
  std::filesystem::path path = std::filesystem::path("runs") / time;
  for (int copy = 2; std::filesystem::exists(path); ++copy) path = fmt::format("runs/{}-{}", time, copy);
  return path;
}

/// A link is replaced as a file is: made under another name, then renamed.
void point_latest_to(const std::filesystem::path& run) {
  const std::filesystem::path folder = run.parent_path();
  const std::filesystem::path latest = folder / "latest";
  const std::filesystem::path partial = folder / fmt::format(".latest.{}.partial", getpid());
  // Somebody's own file or folder of that name stays.
  if (std::filesystem::exists(std::filesystem::symlink_status(latest)) && !std::filesystem::is_symlink(latest)) return;
  std::error_code failed;
  std::filesystem::create_directory_symlink(run.filename(), partial, failed);
  if (!failed) std::filesystem::rename(partial, latest, failed);
  if (failed) throw file_error(fmt::format("cannot make the link {}", printable(latest.string())), failed.value());
}

}  // namespace

RunFolder RunFolder::open(const std::filesystem::path& path) {
  RunFolder folder(path);
  if (!std::filesystem::exists(folder.config())) {
    throw Error(ExitCode::file_system,
                fmt::format("{} is not the folder of a run: it has no config.toml", printable(path.string())));
  }
  return folder;
}

RunFolder RunFolder::create(std::filesystem::path path, const train::Settings& settings) {
  if (path.empty()) path = unused_name_by_time();
  path = path.lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "name/" is "name"
  RunFolder folder(path);
  if (std::filesystem::exists(folder.config())) {
    const std::string name = printable(path.string());
    throw Error(ExitCode::usage,
                fmt::format("{} already holds a run: go on with --resume {}, or choose another --output", name, name));
  }
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (failed) throw file_error(fmt::format("cannot make {}", printable(path.string())), failed.value());
  write_file_atomically(folder.config(), train::to_toml(settings));
  point_latest_to(path);
  return folder;
}

}  // namespace mnist_dist::run
