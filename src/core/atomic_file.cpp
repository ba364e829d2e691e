#include "mnist_dist/core/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/file_lock.hpp"
#include "mnist_dist/core/folder.hpp"
#include "mnist_dist/core/retry.hpp"
#include "mnist_dist/core/sealed_bytes.hpp"
#include "mnist_dist/core/sha256.hpp"

namespace mnist_dist {
namespace {

// Of the target's name, in the partial file's: file systems allow 255 bytes in all.
constexpr std::size_t kMaximumNameBytes = 200;

std::filesystem::path folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  return folder.empty() ? "." : folder;
}

Error cannot_write(const std::filesystem::path& target, int error_number) {
  return file_error(fmt::format("cannot write {}", printable(target.string())), error_number);
}

/// @param number from 1 on, for several processes that write the target at the same time
std::filesystem::path partial_name(const std::filesystem::path& target, int number) {
  if (number > 1000) throw cannot_write(target, EBUSY);  // a file system on which no name ever is free
  const std::string suffix = number == 1 ? "partial" : fmt::format("{}.partial", number);
  return folder_of(target) / fmt::format(".{}.{}", target.filename().string().substr(0, kMaximumNameBytes), suffix);
}

/// Whether the file that was opened as `partial` is nobody else's: new, or left by a process that died. Whoever is
/// alive has locked it, but may have renamed or removed it before the lock was ours.
bool take_partial(const std::filesystem::path& partial, int descriptor) {
  return lock_byte(descriptor, 0, false) != LockOutcome::anothers && leads_to(partial.c_str(), descriptor);
}

// The file that a chain of links leads to, so that the links stay. There may be none yet.
// @throws Error when something else stands there, or cannot be looked at
std::filesystem::path file_to_replace(std::filesystem::path target) {
  struct stat status {};
  const bool exists = retry([&] { return stat(target.c_str(), &status); }) == 0;
  if (!exists && errno != ENOENT) throw cannot_write(target, errno);  // such as a chain without an end
  if (exists && S_ISDIR(status.st_mode)) throw cannot_write(target, EISDIR);
  if (exists && !S_ISREG(status.st_mode)) {
    throw Error(ExitCode::file_system,
                fmt::format("cannot write {}: it is no regular file", printable(target.string())));
  }
  std::error_code failed;
  while (std::filesystem::is_symlink(target, failed)) {
    target = folder_of(target) / std::filesystem::read_symlink(target, failed);
  }
  return target;
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path target) : target_(file_to_replace(std::move(target))) {
  // Umask applies to the mode, as for any new file.
  descriptor_ = retry([&] { return open(folder_of(target_).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666); });
  if (descriptor_ < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    open_partial();
  } else if (descriptor_ < 0) {
    throw cannot_write(target_, errno);
  }
}

void AtomicFile::open_partial() {
  for (int number = 1; !has_name_; ++number) {
    partial_ = partial_name(target_, number);
    descriptor_ = retry([&] { return open(partial_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666); });
    if (descriptor_ < 0) throw cannot_write(target_, errno);
    has_name_ = take_partial(partial_, descriptor_);
    if (!has_name_) close(descriptor_);
  }
  if (retry([&] { return ftruncate(descriptor_, 0); }) != 0) throw cannot_write(target_, errno);
}

void AtomicFile::link_partial() {
  static_cast<void>(lock_byte(descriptor_, 0, false));  // for others to see, once it has a name
  const std::filesystem::path nameless = path_for_writing();
  for (int number = 1; !has_name_; ++number) {
    partial_ = partial_name(target_, number);
    has_name_ =
        retry([&] { return linkat(AT_FDCWD, nameless.c_str(), AT_FDCWD, partial_.c_str(), AT_SYMLINK_FOLLOW); }) == 0;
    if (has_name_) return;
    if (errno != EEXIST) throw cannot_write(target_, errno);
    const int found = retry([&] { return open(partial_.c_str(), O_RDWR | O_CLOEXEC); });
    if (found < 0) continue;
    if (take_partial(partial_, found)) unlink(partial_.c_str());  // left by a process that died just here
    close(found);
  }
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  if (has_name_) unlink(partial_.c_str());  // while the lock says whose it is
  close(descriptor_);
}

std::filesystem::path AtomicFile::path_for_writing() const {
  return has_name_ ? partial_ : std::filesystem::path(fmt::format("/proc/self/fd/{}", descriptor_));
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = retry([&] { return ::write(descriptor_, bytes.data(), bytes.size()); });
    if (written < 0) throw cannot_write(target_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::seal() {
  const std::string line =
      seal_line(sha256_of_file(path_for_writing(), std::filesystem::file_size(path_for_writing())));
  if (lseek(descriptor_, 0, SEEK_END) < 0) throw cannot_write(target_, errno);
  write(std::as_bytes(std::span(line)));
}

void AtomicFile::commit() {
  if (retry([&] { return fsync(descriptor_); }) != 0) throw cannot_write(target_, errno);
  if (!has_name_) link_partial();
  if (retry([&] { return rename(partial_.c_str(), target_.c_str()); }) != 0) throw cannot_write(target_, errno);
  has_name_ = false;
  const int descriptor = descriptor_;
  descriptor_ = -1;
  if (close_once(descriptor) != 0) throw cannot_write(target_, errno);
  const int error_number = flush_folder(folder_of(target_));
  if (error_number != 0) throw cannot_write(target_, error_number);
}

void write_file_atomically(const std::filesystem::path& target, std::span<const std::byte> bytes) {
  AtomicFile file(target);
  file.write(bytes);
  file.commit();
}

void write_file_atomically(const std::filesystem::path& target, std::string_view text) {
  write_file_atomically(target, std::as_bytes(std::span(text)));
}

}  // namespace mnist_dist
