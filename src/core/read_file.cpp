#include "mnist_dist/core/read_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/retry.hpp"
#include "mnist_dist/core/stop_request.hpp"

namespace mnist_dist {
namespace {

std::string action_on(const std::filesystem::path& path) {
  return fmt::format("cannot read {}", printable(path.string()));
}

/// S_IFREG, S_IFDIR, S_IFIFO, ...; 0 where nothing is there, or it cannot be looked at.
mode_t type_of(const std::filesystem::path& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_mode & S_IFMT : 0;
}

/// Until the pipe has something to read, or its end. @return negative when this process is to stop first
int await_pipe(int descriptor) {
  constexpr int kMilliseconds = 100;  // a signal may come between the question and poll()
  pollfd pipe{descriptor, POLLIN, 0};
  for (;;) {
    if (stop_requested()) {
      errno = EINTR;
      return -1;
    }
    const int ready = retry([&] { return poll(&pipe, 1, kMilliseconds); });
    if (ready != 0) return ready;
  }
}

std::vector<std::byte> read_all(const std::filesystem::path& path, bool is_pipe) {
  const int flags = O_RDONLY | O_CLOEXEC | (is_pipe ? O_NONBLOCK : 0);
  const int descriptor = retry([&] { return open(path.c_str(), flags); });
  if (descriptor < 0) throw file_error(action_on(path), errno);
  struct stat status {};
  std::vector<std::byte> bytes;
  if (fstat(descriptor, &status) == 0 && status.st_size > 0) bytes.resize(static_cast<std::size_t>(status.st_size));
  std::size_t used = 0;
  for (;;) {
    if (used == bytes.size()) bytes.resize(used + 65536);
    ssize_t count = is_pipe ? await_pipe(descriptor) : 0;
    if (count >= 0) count = retry([&] { return read(descriptor, bytes.data() + used, bytes.size() - used); });
    if (count < 0) {
      const int error_number = errno;
      close(descriptor);
      throw file_error(action_on(path), error_number);
    }
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
  }
  close(descriptor);
  bytes.resize(used);
  return bytes;
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void check_regular_file(const std::filesystem::path& path) {
  const mode_t type = type_of(path);
  if (type == S_IFREG || type == S_IFDIR || type == 0) return;  // open() and read() say what is wrong
  throw Error(ExitCode::file_system, fmt::format("{}: it is no regular file", action_on(path)));
}

std::vector<std::byte> read_file(const std::filesystem::path& path) {
  check_regular_file(path);
  return read_all(path, false);
}

std::string read_text_file(const std::filesystem::path& path) {
  return text_of(read_file(path));
}

std::string read_text_file_or_pipe(const std::filesystem::path& path) {
  return type_of(path) == S_IFIFO ? text_of(read_all(path, true)) : read_text_file(path);
}

}  // namespace mnist_dist
