// A folder that is filled somewhere hidden and shows what it holds when that is complete.
#pragma once

#include <filesystem>

namespace mnist_dist::h5pack {

/// Fills the folder `target`, which is new or empty. Local.
///
/// What is written goes to a hidden folder inside `target`. finish() moves it in place; without finish() the
/// destructor removes it, and `target` too where it was new. A process that is killed leaves the hidden folder, which
/// no other program takes for data and which the next attempt removes.
class UnfinishedFolder {
 public:
  /// @throws Error (file_system) when `target` holds anything, or cannot be created
  explicit UnfinishedFolder(std::filesystem::path target);
  UnfinishedFolder(const UnfinishedFolder&) = delete;
  UnfinishedFolder& operator=(const UnfinishedFolder&) = delete;
  ~UnfinishedFolder();

  /// Where to write.
  [[nodiscard]] const std::filesystem::path& path() const { return hidden_; }
  /// @throws Error (file_system)
  void finish();

 private:
  std::filesystem::path target_;
  std::filesystem::path hidden_;
  bool target_is_new_ = false;
  bool finished_ = false;
};

}  // namespace mnist_dist::h5pack
