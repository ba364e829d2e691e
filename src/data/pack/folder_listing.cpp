#include "folder_listing.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/retry.hpp"
#include "mnist_dist/image/image_file.hpp"

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

// The type of an entry, as `d_type` has it, of what a symbolic link points to.
unsigned char type_of(DIR* stream, const dirent& entry) {
  if (entry.d_type != DT_LNK && entry.d_type != DT_UNKNOWN) return entry.d_type;
  struct stat status {};
  if (fstatat(dirfd(stream), entry.d_name, &status, 0) != 0) return DT_UNKNOWN;
  return IFTODT(status.st_mode);
}

bool is_called_image(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == 0 || dot == std::string_view::npos) return false;
  return std::ranges::any_of(std::array{".png", ".jpg", ".jpeg"},
                             [&](const char* suffix) { return strcasecmp(name.data() + dot, suffix) == 0; });
}

// A file's format by its first bytes, as image::format_of() has it. @return empty, too, where it cannot be read
std::string_view format_of_entry(DIR* stream, const dirent& entry) {
  const int file = retry([&] { return openat(dirfd(stream), entry.d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK); });
  if (file < 0) return "";
  std::array<std::byte, image::kFormatBytes> start{};
  const ssize_t size = retry([&] { return read(file, start.data(), start.size()); });
  close(file);
  return image::format_of(std::span(start).first(static_cast<std::size_t>(std::max<ssize_t>(size, 0))));
}

// What a file that is no image is called when it is counted.
std::string kind_of(std::string_view format, const std::string& name) {
  if (!format.empty()) return fmt::format("{} file", format);
  std::string suffix = std::filesystem::path(name).extension().string();
  const auto is_plain = [](unsigned char c) { return c == '.' || std::isalnum(c) != 0; };
  if (suffix.size() < 2 || suffix.size() > 6 || !std::ranges::all_of(suffix, is_plain)) return "other file";
  std::ranges::transform(suffix, suffix.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return suffix + " file";
}

}  // namespace

std::vector<std::string> list_folders(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for_each_entry(folder, [&](DIR* stream, const dirent& entry) {
    if (type_of(stream, entry) == DT_DIR) names.emplace_back(entry.d_name);
  });
  std::sort(names.begin(), names.end());
  return names;
}

ImageListing list_images(const std::filesystem::path& folder) {
  ImageListing listing;
  for_each_entry(folder, [&](DIR* stream, const dirent& entry) {
    const std::string name = entry.d_name;
    if (is_called_image(name)) {
      listing.names.push_back(name);
      return;
    }
    const unsigned char type = type_of(stream, entry);
    if (type == DT_DIR) {
      ++listing.folders;
      return;
    }
    const std::string_view format = type == DT_REG ? format_of_entry(stream, entry) : "";
    if (image::is_read(format)) {
      listing.names.push_back(name);
    } else {
      ++listing.others[kind_of(format, name)];
    }
  });
  std::sort(listing.names.begin(), listing.names.end());
  return listing;
}

}  // namespace mnist_dist::data
