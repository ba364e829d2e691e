#include "mnist_dist/run/past_run.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "folder_lock.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/folder.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/core/retry.hpp"
#include "mnist_dist/core/sha256.hpp"
#include "mnist_dist/run/metrics_files.hpp"
#include "mnist_dist/train/stop_conditions.hpp"

namespace mnist_dist::run {
namespace {

/// What a run writes, in the order in which it is removed: as long as there is a config.toml, it can be tried again.
constexpr std::array<std::string_view, 9> kWritten = {"checkpoints",   "model.h5",    "metrics.csv",
                                                      "metrics.jsonl", "report.json", "report-holdout.json",
                                                      "report.html",   "config.toml", ".lock"};

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

/// When a file was written, in nanoseconds since 1970; 0 where there is none.
std::int64_t written_at(const std::filesystem::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return 0;
  return static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec;
}

/// Nothing where it is not known, for whatever reason: a run is whole without its report.
std::optional<double> test_accuracy(const RunFolder& folder) {
  if (!is_there(folder.report()) || written_at(folder.model()) > written_at(folder.report())) return std::nullopt;
  try {
    const nlohmann::json report = nlohmann::json::parse(read_text_file(folder.report()));
    if (report.at("split") != "test" || report.at("dataset_sha256") != load_model(folder.model()).dataset_sha256) {
      return std::nullopt;
    }
    return report.at("exact accuracy").at("accuracy").get<double>();
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool looks_like_run(const std::filesystem::path& path) {
  return is_there(path / "config.toml") || is_there(path / "checkpoints") || is_there(path / "model.h5");
}

/// @return why the folder could not be read; of those in it, what cannot be read is passed over
std::error_code find_paths(const std::filesystem::path& folder, std::vector<std::filesystem::path>& paths) {
  std::error_code failed;
  if (looks_like_run(folder)) {
    paths.push_back(folder);
    return failed;
  }
  std::filesystem::directory_iterator entries;
  retry(failed, [&] { entries = std::filesystem::directory_iterator(folder, failed); });
  while (!failed && entries != std::filesystem::directory_iterator()) {
    std::error_code ignored;
    if (!entries->is_symlink(ignored) && entries->is_directory(ignored)) find_paths(entries->path(), paths);
    entries.increment(failed);
  }
  return failed;
}

void remove_whole(const std::filesystem::path& path) {
  std::error_code failed;
  retry(failed, [&] { std::filesystem::remove_all(path, failed); });
  if (failed) throw file_error(fmt::format("cannot remove {}", printable(path.string())), failed.value());
}

/// Of the links to the run trained last, in the working folder and beside the run, those that lead to this one.
std::vector<std::filesystem::path> links_to(const std::filesystem::path& run) {
  std::vector<std::filesystem::path> links;
  for (const std::filesystem::path& link : {std::filesystem::path(kLatest), run.parent_path() / "latest"}) {
    std::error_code ignored;
    if (std::filesystem::is_symlink(link, ignored) && std::filesystem::equivalent(link, run, ignored)) {
      links.push_back(link);
    }
  }
  return links;
}

void remove_empty(const std::filesystem::path& folder) {
  std::error_code failed;
  retry(failed, [&] { std::filesystem::remove(folder, failed); });
  if (failed) throw file_error(fmt::format("cannot remove {}", printable(folder.string())), failed.value());
}

}  // namespace

const train::EpochMetrics* PastRun::best() const {
  const std::int64_t best = train::best_epoch(history);
  return best == 0 ? nullptr : &history[static_cast<std::size_t>(best) - 1];
}

PastRun read_past_run(const std::filesystem::path& path) {
  const RunFolder folder = RunFolder::open(path);
  PastRun run;
  run.settings = train::settings_from_toml(read_text_file(folder.config()), printable(folder.config().string()));
  train::check_settings(run.settings);
  if (is_there(folder.metrics_jsonl())) {
    run.history =
        history_from_jsonl(read_text_file(folder.metrics_jsonl()), printable(folder.metrics_jsonl().string()));
  }
  run.test_accuracy = test_accuracy(folder);
  if (!FolderLock::owner(path).empty()) {
    run.state = RunState::running;
  } else if (train::stop_reason(run.history, run.settings)) {
    run.state = RunState::finished;
  }
  return run;
}

std::vector<FoundRun> find_runs(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  if (const std::error_code failed = find_paths(folder, paths)) {
    throw file_error(fmt::format("cannot read {}", printable(folder.string())), failed.value());
  }
  const auto age = [](const std::filesystem::path& path) { return written_at(path / "config.toml"); };
  std::ranges::sort(paths);
  std::ranges::stable_sort(paths, {}, age);
  std::vector<FoundRun> runs;
  for (const std::filesystem::path& path : paths) {
    FoundRun found{.path = path, .written = age(path) / 1'000'000'000, .run = {}, .damage = {}};
    try {
      found.run = read_past_run(path);
    } catch (const Error& error) {
      found.damage = error.what();
    }
    runs.push_back(std::move(found));
  }
  return runs;
}

std::vector<std::string> remove_run(const RunFolder& folder) {
  const std::filesystem::path& path = folder.path();
  const std::vector<std::filesystem::path> links = links_to(path);
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.') && name.ends_with(".partial")) remove_whole(entry.path());  // of a process that died
  }
  for (const std::string_view name : kWritten) remove_whole(path / name);
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(path)) left.push_back(entry.path().filename().string());
  std::ranges::sort(left);
  if (left.empty()) remove_empty(path);
  const int error_number = flush_folder(left.empty() ? path.parent_path() : path);
  if (error_number != 0) throw file_error(fmt::format("cannot remove {}", printable(path.string())), error_number);
  for (const std::filesystem::path& link : links) mend_link(link);
  return left;
}

std::vector<Difference> differences(const train::Settings& first, const train::Settings& second) {
  std::vector<Difference> found;
  const std::vector<train::SettingValue> ones = train::setting_values(first);
  const std::vector<train::SettingValue> others = train::setting_values(second);
  for (std::size_t i = 0; i < ones.size(); ++i) {
    if (ones[i].value != others[i].value) found.push_back({ones[i].name, ones[i].value, others[i].value});
  }
  return found;
}

std::vector<Difference> differences(const Model& first, const Model& second) {
  std::vector<Difference> found;
  const auto compare = [&](const char* what, const std::string& one, const std::string& other) {
    if (one != other) found.push_back({what, one, other});
  };
  compare("content_sha256", fmt::format("{:.16}", first.dataset_sha256), fmt::format("{:.16}", second.dataset_sha256));
  compare("build", first.build, second.build);
  compare("arithmetic", first.arithmetic, second.arithmetic);
  return found;
}

std::string parameters_sha256(const Model& model) {
  return sha256_hex(std::as_bytes(std::span(model.parameters)));
}

}  // namespace mnist_dist::run
