#include "mnist_dist/core/read_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/retry.hpp"

namespace mnist_dist {

std::vector<std::byte> read_file(const std::filesystem::path& path) {
  const int descriptor = retry([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  const std::string action = fmt::format("cannot read {}", printable(path.string()));
  if (descriptor < 0) throw file_error(action, errno);
  struct stat status {};
  std::vector<std::byte> bytes;
  if (fstat(descriptor, &status) == 0 && status.st_size > 0) bytes.resize(static_cast<std::size_t>(status.st_size));
  std::size_t used = 0;
  for (;;) {
    if (used == bytes.size()) bytes.resize(used + 65536);
    const ssize_t count = retry([&] { return read(descriptor, bytes.data() + used, bytes.size() - used); });
    if (count < 0) {
      const int error_number = errno;
      close(descriptor);
      throw file_error(action, error_number);
    }
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
  }
  close(descriptor);
  bytes.resize(used);
  return bytes;
}

std::string read_text_file(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace mnist_dist
