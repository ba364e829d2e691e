#include "mnist_dist/run/run_folder.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <ctime>
#include <span>
#include <vector>

#include "folder_lock.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/folder.hpp"
#include "mnist_dist/core/retry.hpp"
#include "mnist_dist/core/sha256.hpp"
#include "mnist_dist/run/past_run.hpp"

namespace mnist_dist::run {
namespace {

void make_folders(const std::filesystem::path& path) {
  const std::filesystem::path above = path.parent_path();
  std::error_code ignored;
  if (!above.empty() && !std::filesystem::exists(above, ignored)) make_folders(above);
  make_folder(path);
}

std::filesystem::path without_last_slash(const std::filesystem::path& path) {
  const std::filesystem::path normal = path.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

std::filesystem::path resolved(const std::filesystem::path& path) {
  std::error_code failed;
  std::filesystem::path found = std::filesystem::weakly_canonical(path, failed);
  return failed ? path : found;
}

/// A link is replaced as a file is: made under another name, then renamed.
/// @param run how to get there from the link's folder
void replace_link(const std::filesystem::path& link, const std::filesystem::path& run) {
  // Nobody else takes this name, since the run's folder is locked.
  const std::string text = run.string();
  const std::filesystem::path partial =
      link.parent_path() / fmt::format(".latest.{:.16}.partial", sha256_hex(std::as_bytes(std::span(text))));
  std::error_code failed;
  retry(failed, [&] { std::filesystem::remove(partial, failed); });  // left by a process that died just here
  retry(failed, [&] { std::filesystem::create_directory_symlink(run, partial, failed); });
  if (!failed) retry(failed, [&] { std::filesystem::rename(partial, link, failed); });
  if (failed) throw file_error(fmt::format("cannot make the link {}", printable(link.string())), failed.value());
}

/// Where no folder can be made, there may be another place for it.
template <class Make>
void naming_way_out(Make&& make) {
  try {
    make();
  } catch (const Error& error) {
    throw Error(error.exit_code(), fmt::format("{}; choose a folder with --output", error.what()));
  }
}

}  // namespace

std::filesystem::path make_run_folder() {
  const std::string time = fmt::format("{:%Y-%m-%dT%H-%M-%SZ}", fmt::gmtime(std::time(nullptr)));
  std::filesystem::path path = std::filesystem::path("runs") / time;
  naming_way_out([&] {
    make_folders("runs");
    for (int copy = 2; !make_folder(path); ++copy) path = fmt::format("runs/{}-{}", time, copy);
  });
  return path;
}

void RunFolder::check_holds_no_run(const std::filesystem::path& path) {
  const RunFolder folder(path);
  if (!std::filesystem::exists(folder.config()) && !std::filesystem::exists(folder.checkpoints())) return;
  const std::string name = printable(without_last_slash(path).string());
  throw Error(ExitCode::usage,
              fmt::format("{} already holds a run: go on with --resume {}, or choose another --output", name, name));
}

RunFolder RunFolder::open(const std::filesystem::path& path) {
  RunFolder folder(path);
  if (std::filesystem::exists(folder.config())) return folder;
  const std::string name = printable(path.string());
  if (std::filesystem::exists(folder.checkpoints())) {
    throw Error(ExitCode::file_system,
                fmt::format("{} has lost its config.toml: write the settings to it that `mnist-dist info` tells of a "
                            "file in {}/checkpoints",
                            name, name));
  }
  throw Error(ExitCode::file_system, fmt::format("{} is not the folder of a run: it has no config.toml", name));
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
    path = make_run_folder();
  } else {
    path = without_last_slash(path);
    naming_way_out([&] { make_folders(path); });
  }
  RunFolder folder = locked(path, [](const RunFolder& made) { check_holds_no_run(made.path_); });
  write_file_atomically(folder.config(), train::to_toml(settings));
  return folder;
}

void RunFolder::become_latest() const {
  const std::filesystem::path runs = std::filesystem::path(kLatest).parent_path();
  std::error_code ignored;
  const auto there = std::filesystem::symlink_status(kLatest, ignored).type();
  // Somebody's own file or folder of that name stays.
  if (there != std::filesystem::file_type::not_found && there != std::filesystem::file_type::symlink) return;
  make_folders(runs);
  replace_link(kLatest, path_.is_absolute() ? resolved(path_) : resolved(path_).lexically_relative(resolved(runs)));
}

void mend_link(const std::filesystem::path& link) {
  std::error_code failed;
  if (!std::filesystem::is_symlink(link, failed) || std::filesystem::exists(link / "config.toml", failed)) return;
  const std::filesystem::path beside = link.has_parent_path() ? link.parent_path() : ".";
  const std::vector<FoundRun> runs = find_runs(beside);
  const auto newest = std::find_if(runs.rbegin(), runs.rend(), [](const FoundRun& run) { return run.damage.empty(); });
  if (newest != runs.rend()) {
    replace_link(link, newest->path.lexically_relative(beside));
  } else {
    retry(failed, [&] { std::filesystem::remove(link, failed); });
    if (failed) throw file_error(fmt::format("cannot remove {}", printable(link.string())), failed.value());
  }
}

std::filesystem::path newest_run() {
  std::error_code failed;
  const std::filesystem::path run = std::filesystem::canonical(kLatest, failed);
  if (failed) {
    throw Error(ExitCode::file_system,
                fmt::format("{} leads to no run: train one with `mnist-dist train`, or name a model", kLatest));
  }
  const std::filesystem::path here = run.lexically_relative(resolved("."));
  return here.empty() || *here.begin() == ".." ? run : here;
}

void RunFolder::check_still_there() const {
  lock_->check_still_there();
}

}  // namespace mnist_dist::run
