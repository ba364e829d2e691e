#include "mnist_dist/run/run_folder.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "folder_lock.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/folder.hpp"
#include "mnist_dist/core/retry.hpp"

namespace mnist_dist::run {
namespace {

void make_folders(const std::filesystem::path& path) {
  const std::filesystem::path above = path.parent_path();
  std::error_code ignored;
  if (!above.empty() && !std::filesystem::exists(above, ignored)) make_folders(above);
  make_folder(path);
}

/// Makes a folder that nobody else has made, however many runs start in this second.
std::filesystem::path make_folder_by_time() {
  make_folders("runs");
  const std::string time = fmt::format("{:%Y-%m-%dT%H-%M-%SZ}", fmt::gmtime(std::time(nullptr)));
  std::filesystem::path path = std::filesystem::path("runs") / time;
  for (int copy = 2; !make_folder(path); ++copy) path = fmt::format("runs/{}-{}", time, copy);
  return path;
}

std::filesystem::path without_last_slash(const std::filesystem::path& path) {
  const std::filesystem::path normal = path.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

void check_holds_no_run(const RunFolder& folder) {
  if (!std::filesystem::exists(folder.config()) && !std::filesystem::exists(folder.checkpoints())) return;
  const std::string name = printable(folder.path().string());
  throw Error(ExitCode::usage,
              fmt::format("{} already holds a run: go on with --resume {}, or choose another --output", name, name));
}

/// A link is replaced as a file is: made under another name, then renamed.
void point_latest_to(const std::filesystem::path& run) {
  const std::filesystem::path folder = run.parent_path();
  const std::filesystem::path latest = folder / "latest";
  // Nobody else takes this name, since the run's folder is locked.
  const std::filesystem::path partial = folder / fmt::format(".latest.{}.partial", run.filename().string());
  // Somebody's own file or folder of that name stays.
  if (std::filesystem::exists(std::filesystem::symlink_status(latest)) && !std::filesystem::is_symlink(latest)) return;
  std::error_code failed;
  retry(failed, [&] { std::filesystem::remove(partial, failed); });  // left by a process that died just here
  retry(failed, [&] { std::filesystem::create_directory_symlink(run.filename(), partial, failed); });
  if (!failed) retry(failed, [&] { std::filesystem::rename(partial, latest, failed); });
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

RunFolder RunFolder::locked(std::filesystem::path path, const std::function<void(const RunFolder&)>& check) {
  // A link, such as "latest", may lead to another run by the time that something is written.
  while (std::filesystem::is_symlink(path)) path = path.parent_path() / std::filesystem::read_symlink(path);
  RunFolder folder(std::move(path));
  folder.lock_ = std::make_shared<const FolderLock>(folder.path_, [&] { check(folder); });
  return folder;
}

RunFolder RunFolder::open_for_writing(const std::filesystem::path& path) {
  static_cast<void>(open(path));  // what is no run's folder gets no lock
  return locked(without_last_slash(path), [](const RunFolder& /*folder*/) {});
}

RunFolder RunFolder::create(std::filesystem::path path, const train::Settings& settings) {
  if (path.empty()) {
    path = make_folder_by_time();
  } else {
    path = without_last_slash(path);
    make_folders(path);
  }
  RunFolder folder = locked(path, check_holds_no_run);
  write_file_atomically(folder.config(), train::to_toml(settings));
  point_latest_to(path);
  return folder;
}

void RunFolder::check_still_there() const {
  lock_->check_still_there();
}

}  // namespace mnist_dist::run
