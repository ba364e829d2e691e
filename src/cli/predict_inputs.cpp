#include "predict_inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/retry.hpp"
#include "mnist_dist/image/image_file.hpp"

namespace mnist_dist::cli {
namespace {

namespace fs = std::filesystem;

struct Counts {
  std::size_t images = 0;
  std::size_t others = 0;
  std::size_t failures = 0;
};

/// The names in a folder, those of folders with a slash at the end: so paths come in byte order.
std::vector<std::string> list_folder(const fs::path& folder) {
  std::error_code failed;
  fs::directory_iterator entries;
  retry(failed, [&] { entries = fs::directory_iterator(folder, failed); });
  std::vector<std::string> names;
  while (!failed && entries != fs::directory_iterator()) {
    const std::string name = entries->path().filename().string();
    std::error_code ignored;
    const bool is_folder = entries->is_directory(ignored);
    if (!name.starts_with('.') && !(is_folder && entries->is_symlink(ignored))) {
      names.push_back(is_folder ? name + '/' : name);
    }
    entries.increment(failed);
  }
  if (failed) {
    throw file_error(fmt::format("cannot read the folder {}", printable(folder.string())), failed.value());
  }
  std::ranges::sort(names);
  return names;
}

/// Whether a file in a folder is passed on: what cannot be read is, for it may be an image.
bool may_be_image(const fs::path& path) {
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (!failed && !fs::is_regular_file(status)) return false;
  try {
    return image::is_read(image::format_of_file(path));
  } catch (const Error&) {
    return true;
  }
}

void walk_folder(const fs::path& folder, const InputHandlers& handlers, Counts& counts) {
  std::vector<std::string> names;
  try {
    names = list_folder(folder);
  } catch (const Error& error) {
    ++counts.failures;
    handlers.failure(error);
    return;
  }
  for (const std::string& name : names) {
    const fs::path path = folder / name;
    if (name.ends_with('/')) {
      walk_folder(path, handlers, counts);
    } else if (may_be_image(path)) {
      ++counts.images;
      handlers.image(path.string());
    } else {
      ++counts.others;
    }
  }
}

void take_path(const std::string& path, const InputHandlers& handlers) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    handlers.image(path);
    return;
  }
  Counts counts;
  walk_folder(path, handlers, counts);
  if (counts.images == 0 && counts.failures == 0) {
    handlers.failure(Error(ExitCode::bad_data, fmt::format("{} holds no PNG or JPEG images ({})", printable(path),
                                                           counted(counts.others, "other file"))));
  } else if (counts.others > 0) {
    log_warning(
        fmt::format("{}: {} passed over: neither PNG nor JPEG", printable(path), counted(counts.others, "file")));
  }
}

void take_list(const std::string& list, const InputHandlers& handlers) {
  const auto fail = [&] {
    handlers.failure(file_error(fmt::format("cannot read the list {}", printable(list)), errno));
  };
  std::ifstream file;
  const bool from_standard_input = list == kStandardInput;
  errno = 0;
  if (!from_standard_input) {
    file.open(list);
    if (!file.is_open()) {
      fail();
      return;
    }
  }
  std::istream& lines = from_standard_input ? std::cin : file;
  std::string line;
  errno = 0;
  while (std::getline(lines, line)) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) take_path(line, handlers);
    errno = 0;
  }
  if (lines.bad()) fail();
}

}  // namespace

void for_each_input(const PredictInputs& inputs, const InputHandlers& handlers) {
  for (const std::string& name : inputs.names) {
    if (name == kStandardInput) {
      handlers.image(name);
    } else {
      take_path(name, handlers);
    }
  }
  if (!inputs.list.empty()) take_list(inputs.list, handlers);
}

}  // namespace mnist_dist::cli
