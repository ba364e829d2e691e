#include "mnist_dist/run/checkpoint_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/folder.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/core/sealed_bytes.hpp"
#include "mnist_dist/core/sha256.hpp"
#include "mnist_dist/run/checkpoint.hpp"
#include "mnist_dist/run/past_run.hpp"

namespace mnist_dist::run {
namespace {

constexpr const char* kFormat = "mnist-dist checkpoint manifest";

bool is_checkpoint_name(const std::string& name) {
  return name.starts_with("step-") && name.ends_with(".h5");
}

/// What a run's other files say of it; nothing where they cannot be read, which is for others to tell.
template <typename Read>
auto read_if_whole(Read&& read) -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// What tells a run from others.
struct RunIdentity {
  std::string config;
  std::optional<train::Settings> settings;  ///< of this file
  std::string model;
  std::optional<std::string> dataset_sha256;  ///< of this file
};

RunIdentity identity_of(const std::filesystem::path& run) {
  RunIdentity identity{printable((run / "config.toml").string()), {}, printable((run / "model.h5").string()), {}};
  identity.settings =
      read_if_whole([&] { return train::settings_from_toml(read_text_file(run / "config.toml"), identity.config); });
  identity.dataset_sha256 = read_if_whole([&] { return load_model(run / "model.h5").dataset_sha256; });
  return identity;
}

/// A file that is whole may be another run's. @throws Error (bad_data)
void check_of_run(const Checkpoint& checkpoint, const std::string& path, const RunIdentity& run) {
  if (run.settings) {
    train::Settings begun = train::settings_from_toml(checkpoint.settings, path);
    train::override_settings(begun, *run.settings, kMayChange);
    if (const std::vector<Difference> other = differences(begun, *run.settings); !other.empty()) {
      throw Error(ExitCode::bad_data,
                  fmt::format("{} is passed over: its {} is {}, but {} in {}: it is another run's, or that was edited",
                              path, other.front().what, other.front().first, other.front().second, run.config));
    }
  }
  if (run.dataset_sha256 && run.dataset_sha256 != checkpoint.dataset_sha256) {
    throw Error(
        ExitCode::bad_data,
        fmt::format("{} is passed over: its data set's content_sha256 is {:.12}..., but {:.12}... in {}: one of "
                    "them is another run's",
                    path, checkpoint.dataset_sha256, *run.dataset_sha256, run.model));
  }
}

}  // namespace

std::vector<CheckpointStore::Entry> CheckpointStore::read_manifest() const {
  const nlohmann::json manifest = nlohmann::json::parse(read_text_file(manifest_path()));
  if (manifest.at("format") != kFormat) throw std::runtime_error("its format is not that of a manifest");
  std::vector<Entry> entries;
  for (const nlohmann::json& entry : manifest.at("checkpoints")) {
    entries.push_back({entry.at("file"), entry.at("sha256"), entry.at("bytes"), entry.at("epoch"), entry.at("step")});
    if (std::filesystem::path(entries.back().file).filename() != entries.back().file) {
      throw std::runtime_error("it names a file outside its folder");
    }
  }
  if (entries.empty()) throw std::runtime_error("it names no checkpoint");
  return entries;
}

CheckpointStore::Found CheckpointStore::find() const {
  Found found;
  const std::string name = printable(manifest_path().string());
  if (!std::filesystem::exists(manifest_path())) {
    find_sealed(found);
    if (found.entries.empty() && found.faults.empty()) return found;
    found.faults.insert(found.faults.begin(), fmt::format("{} is missing", name));
    return found;
  }
  try {
    found.entries = read_manifest();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    found.faults.push_back(fmt::format("{} is damaged ({})", name, printable(error.what())));
    find_sealed(found);
  }
  return found;
}

void CheckpointStore::find_sealed(Found& found) const {
  std::vector<std::filesystem::path> files;
  std::error_code none;
  for (const auto& file : std::filesystem::directory_iterator(folder_, none)) {
    if (is_checkpoint_name(file.path().filename().string())) files.push_back(file.path());
  }
  if (files.empty()) return;
  const RunIdentity run = identity_of(folder_.parent_path());
  for (const std::filesystem::path& file : files) {
    const std::string path = printable(file.string());
    try {
      const std::vector<std::byte> bytes = read_file(file);
      if (!is_sealed_whole(bytes)) {
        throw Error(ExitCode::bad_data, fmt::format("{} is not whole by its own hash", path));
      }
      const Checkpoint checkpoint = decode_checkpoint(bytes, path);
      check_of_run(checkpoint, path, run);
      const train::TrainerState& state = checkpoint.state;
      found.entries.push_back(
          {file.filename().string(), sha256_hex(bytes), bytes.size(), state.epochs_done, state.steps_done});
    } catch (const Error& error) {
      found.faults.emplace_back(error.what());
    }
  }
  std::ranges::sort(found.entries, {}, &Entry::step);
}

void CheckpointStore::write_manifest(const std::vector<Entry>& entries) const {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Entry& entry : entries) {
    list.push_back({{"file", entry.file},
                    {"sha256", entry.sha256},
                    {"bytes", entry.bytes},
                    {"epoch", entry.epoch},
                    {"step", entry.step}});
  }
  const nlohmann::ordered_json manifest = {{"format", kFormat}, {"checkpoints", list}};
  write_file_atomically(manifest_path(), manifest.dump(2) + "\n");
}

void CheckpointStore::save(std::span<const std::byte> bytes, std::int64_t epoch, std::int64_t step) {
  make_folder(folder_);  // without those above it: a run folder that was removed stays so
  const Entry entry{fmt::format("step-{:09}.h5", step), sha256_hex(bytes), bytes.size(), epoch, step};
  std::vector<Entry> entries = find().entries;
  write_file_atomically(folder_ / entry.file, bytes);

  std::erase_if(entries, [&](const Entry& other) { return other.step >= step; });
  entries.push_back(entry);
  if (entries.size() > kKept) entries.erase(entries.begin(), entries.end() - kKept);
  write_manifest(entries);
  remove_all_but(entries);
}

void CheckpointStore::remove_all_but(const std::vector<Entry>& entries) const {
  std::error_code ignored;  // what cannot be removed now is tried again after the next checkpoint
  for (const auto& file : std::filesystem::directory_iterator(folder_, ignored)) {
    const std::string name = file.path().filename().string();
    const bool named = std::ranges::any_of(entries, [&](const Entry& entry) { return entry.file == name; });
    if (!named && is_checkpoint_name(name)) std::filesystem::remove(file.path(), ignored);
  }
}

std::vector<std::byte> CheckpointStore::read_whole(const Entry& entry) const {
  std::vector<std::byte> bytes = read_file(folder_ / entry.file);
  if (bytes.size() != entry.bytes) {
    throw Error(ExitCode::bad_data, fmt::format("it has {} bytes instead of {}", bytes.size(), entry.bytes));
  }
  if (sha256_hex(bytes) != entry.sha256) throw Error(ExitCode::bad_data, "its SHA-256 is not that of the manifest");
  return bytes;
}

std::optional<std::vector<std::byte>> CheckpointStore::newest_whole(const std::vector<Entry>& entries) const {
  std::string unreadable;  // the last one, where the disk may be to blame
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    const std::filesystem::path path = folder_ / entry->file;
    try {
      return read_whole(*entry);
    } catch (const Error& error) {
      log_warning(fmt::format("checkpoint {} (epoch {}) is not whole: {}", printable(path.string()), entry->epoch,
                              error.what()));
      if (error.exit_code() == ExitCode::file_system && std::filesystem::exists(path)) unreadable = error.what();
    }
  }
  if (!unreadable.empty()) throw Error(ExitCode::file_system, unreadable);
  return std::nullopt;
}

std::optional<std::vector<std::byte>> CheckpointStore::load_newest() const {
  Found found = find();
  if (found.entries.empty() && found.faults.empty()) return std::nullopt;
  if (found.faults.empty()) {
    if (auto newest = newest_whole(found.entries)) return newest;
    // It may be the manifest that is wrong.
    const std::string fault = fmt::format("none of the {} checkpoints that {} names is whole", found.entries.size(),
                                          printable(manifest_path().string()));
    found = {};
    find_sealed(found);
    if (found.entries.empty()) throw Error(ExitCode::bad_data, fault + "; start a new run");
    found.faults.insert(found.faults.begin(), fault);
  }
  if (found.entries.empty()) {
    for (const std::string& fault : std::span(found.faults).subspan(1)) log_warning(fault);
    throw Error(ExitCode::bad_data, fmt::format("{}, and no checkpoint beside it is whole by its own hash and of this "
                                                "run; restore them from a backup, or start a new run",
                                                found.faults.front()));
  }
  log_warning(
      fmt::format("{}: the checkpoints count that are whole by their own hash and of this run", found.faults.front()));
  for (const std::string& fault : std::span(found.faults).subspan(1)) log_warning(fault);
  if (auto newest = newest_whole(found.entries)) return newest;
  throw Error(ExitCode::bad_data,
              fmt::format("the checkpoints in {} change while they are read", printable(folder_.string())));
}

}  // namespace mnist_dist::run
