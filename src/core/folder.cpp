#include "mnist_dist/core/folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/retry.hpp"

namespace mnist_dist {

int flush_folder(const std::filesystem::path& folder) {
  const char* name = folder.empty() ? "." : folder.c_str();
  const int descriptor = retry([&] { return open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (descriptor < 0) return errno;
  const int error_number = retry([&] { return fsync(descriptor); }) == 0 ? 0 : errno;
  close(descriptor);
  // Some network file systems cannot flush a folder and say EINVAL; the change itself has happened.
  return error_number == EINVAL ? 0 : error_number;
}

bool make_folder(const std::filesystem::path& path) {
  int error_number = retry([&] { return mkdir(path.c_str(), 0777); }) == 0 ? 0 : errno;
  std::error_code ignored;
  if (error_number == EEXIST && std::filesystem::is_directory(path, ignored)) return false;
  if (error_number == 0) error_number = flush_folder(path.parent_path());
  if (error_number != 0) throw file_error(fmt::format("cannot make {}", printable(path.string())), error_number);
  return true;
}

}  // namespace mnist_dist
