// The folder checkpoints/ of a run. A checkpoint counts from the moment at which manifest.json names it, with its
// SHA-256; a file whose bytes do not have that hash is never opened. Where the manifest is lost or damaged, those count
// that have their own seal, and the settings and data set of the run whose folder it is in: as far as config.toml and
// model.h5 beside it can be read. Local: rank 0 alone uses it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace mnist_dist::run {

class CheckpointStore {
 public:
  /// One to go on from, and two in case the disk spoils it.
  static constexpr std::size_t kKept = 3;

  /// @param folder need not exist yet, but the folder that it is in
  explicit CheckpointStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Makes the bytes the newest checkpoint, durably; then removes all but the newest kKept.
  /// @throws Error (file_system), for example when the disk is full: the checkpoints before are then untouched
  void save(std::span<const std::byte> bytes, std::int64_t epoch, std::int64_t step);

  /// The bytes of the newest checkpoint that is whole, with a warning for each newer one that is not and for a manifest
  /// that is not, or that names none that is; nothing when there has never been one.
  /// @throws Error when none of the checkpoints is whole: file_system where one cannot be read, else bad_data
  [[nodiscard]] std::optional<std::vector<std::byte>> load_newest() const;

 private:
  struct Entry {
    std::string file;
    std::string sha256;
    std::uint64_t bytes = 0;
    std::int64_t epoch = 0;
    std::int64_t step = 0;
  };
  [[nodiscard]] std::filesystem::path manifest_path() const { return folder_ / "manifest.json"; }
  /// What counts, from old to new, and what is wrong with the rest.
  struct Found {
    std::vector<Entry> entries;
    std::vector<std::string> faults;
  };
  [[nodiscard]] Found find() const;
  [[nodiscard]] std::vector<Entry> read_manifest() const;
  void find_sealed(Found& found) const;
  void write_manifest(const std::vector<Entry>& entries) const;
  void remove_all_but(const std::vector<Entry>& entries) const;
  /// The bytes of the newest entry's file that is whole, with a warning for each newer one that is not.
  /// @throws Error (file_system) when none is, and one cannot be read
  [[nodiscard]] std::optional<std::vector<std::byte>> newest_whole(const std::vector<Entry>& entries) const;
  /// The bytes of an entry's file. @throws Error file_system: it cannot be read; bad_data: it is not whole
  [[nodiscard]] std::vector<std::byte> read_whole(const Entry& entry) const;

  std::filesystem::path folder_;
};

}  // namespace mnist_dist::run
