#include "unfinished_folder.hpp"

#include <fmt/format.h>

#include <system_error>
#include <utility>
#include <vector>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/retry.hpp"

namespace mnist_dist::h5pack {
namespace {

constexpr const char* kHiddenName = ".h5pack-unfinished";

void check(const std::error_code& error, const char* action, const std::filesystem::path& path) {
  if (error) throw file_error(fmt::format("cannot {} {}", action, printable(path.string())), error.value());
}

// @throws Error when the folder holds anything but what a killed process left
void check_empty(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  check(error, "read the folder", folder);
  for (const std::filesystem::directory_entry& entry : entries) {
    if (entry.path().filename() != kHiddenName) {
      throw Error(ExitCode::file_system,
                  fmt::format("{}: the folder is not empty; name a new or empty one", printable(folder.string())));
    }
  }
}

}  // namespace

UnfinishedFolder::UnfinishedFolder(std::filesystem::path target)
    : target_(std::move(target)), hidden_(target_ / kHiddenName) {
  std::error_code error;
  retry(error, [&] { target_is_new_ = std::filesystem::create_directory(target_, error); });
  check(error, "create the folder", target_);
  if (!target_is_new_) check_empty(target_);
  retry(error, [&] { std::filesystem::remove_all(hidden_, error); });
  check(error, "remove", hidden_);
  retry(error, [&] { std::filesystem::create_directory(hidden_, error); });
  check(error, "create the folder", hidden_);
}

UnfinishedFolder::~UnfinishedFolder() {
  if (finished_) return;
  std::error_code ignored;
  std::filesystem::remove_all(hidden_, ignored);
  if (target_is_new_) std::filesystem::remove(target_, ignored);
}

void UnfinishedFolder::finish() {
  std::vector<std::filesystem::path> entries;
  for (const auto& entry : std::filesystem::directory_iterator(hidden_)) entries.push_back(entry.path());
  std::error_code error;
  for (const std::filesystem::path& entry : entries) {
    retry(error, [&] { std::filesystem::rename(entry, target_ / entry.filename(), error); });
    check(error, "move", entry);
  }
  retry(error, [&] { std::filesystem::remove(hidden_, error); });
  check(error, "remove", hidden_);
  finished_ = true;
}

}  // namespace mnist_dist::h5pack
