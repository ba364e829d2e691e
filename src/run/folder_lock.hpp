// One process writes a run folder. Local.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace mnist_dist::run {

/// The lock of a run folder, in its file .lock, which stays there: that it is locked is what counts. It says which
/// process has locked it last. A process that dies gives the lock up.
class FolderLock {
 public:
  /// Where the file system has no locks, there is a warning instead.
  /// @param check called when nobody else has the lock, and may throw: others then find it as if nobody had asked
  /// @throws Error (file_system) when another process has the lock, naming it, or the file cannot be written
  FolderLock(const std::filesystem::path& folder, const std::function<void()>& check);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

  /// Which process has the lock of a folder now, without asking for it; "" where none has.
  [[nodiscard]] static std::string owner(const std::filesystem::path& folder);

  /// @throws Error (file_system) unless the folder is still there, with this lock in it
  void check_still_there() const;

 private:
  FolderLock(const std::filesystem::path& folder, int descriptor);
  void take(const std::function<void()>& check);

  std::filesystem::path folder_;
  std::filesystem::path file_;
  int descriptor_;
};

}  // namespace mnist_dist::run
