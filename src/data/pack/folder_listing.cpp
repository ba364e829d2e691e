#include "folder_listing.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <strings.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <string_view>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/retry.hpp"

namespace mnist_dist::data {
namespace {

struct CloseFolder {
  void operator()(DIR* stream) const { closedir(stream); }
};

// opendir(), which gives up when it is interrupted. @return null on failure: errno says why
DIR* open_folder(const std::filesystem::path& folder) {
  const int descriptor = retry([&] { return open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  return descriptor < 0 ? nullptr : fdopendir(descriptor);
}

// Calls `take` for every entry that is not hidden.
void for_each_entry(const std::filesystem::path& folder, const std::function<void(DIR*, const dirent&)>& take) {
  const auto fail = [&] {
    throw file_error(fmt::format("cannot read the folder {}", printable(folder.string())), errno);
  };
  const std::unique_ptr<DIR, CloseFolder> stream(open_folder(folder));
  if (stream == nullptr) fail();
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr) {
      if (errno != 0) fail();
      return;
    }
    if (entry->d_name[0] != '.') take(stream.get(), *entry);
  }
}

bool is_folder(DIR* stream, const dirent& entry) {
  if (entry.d_type != DT_LNK && entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
  struct stat status {};
  return fstatat(dirfd(stream), entry.d_name, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

bool is_called_png(std::string_view name) {
  return name.size() > 4 && strcasecmp(name.data() + name.size() - 4, ".png") == 0;
}

}  // namespace

std::vector<std::string> list_folders(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for_each_entry(folder, [&](DIR* stream, const dirent& entry) {
    if (is_folder(stream, entry)) names.emplace_back(entry.d_name);
  });
  std::sort(names.begin(), names.end());
  return names;
}

PngListing list_png_files(const std::filesystem::path& folder) {
  PngListing listing;
  for_each_entry(folder, [&](DIR*, const dirent& entry) {
    if (is_called_png(entry.d_name)) {
      listing.names.emplace_back(entry.d_name);
    } else {
      ++listing.others;
    }
  });
  std::sort(listing.names.begin(), listing.names.end());
  return listing;
}

}  // namespace mnist_dist::data
