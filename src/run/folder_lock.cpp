#include "folder_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/file_lock.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/core/retry.hpp"

namespace mnist_dist::run {
namespace {

// The byte that the writer of the folder has locked, and one for the instant in which it is taken: whoever wants it
// waits for that one first. So the file's text is always that of the process that has the first.
constexpr long kWriter = 0;
constexpr long kText = 1;

std::string this_process() {
  return fmt::format("process {} on {}", getpid(), host_name());
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder, int descriptor)
    : folder_(folder), file_(folder / ".lock"), descriptor_(descriptor) {}

FolderLock::FolderLock(const std::filesystem::path& folder, const std::function<void()>& check)
    : FolderLock(folder, retry([&] { return open((folder / ".lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666); })) {
  if (descriptor_ < 0) throw file_error(fmt::format("cannot write {}", printable(file_.string())), errno);
  take(check);
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

void FolderLock::take(const std::function<void()>& check) {
  const std::string name = printable(folder_.string());
  if (lock_byte(descriptor_, kText, true) == LockOutcome::not_supported) {
    log_warning(fmt::format("{} is on a file system without locks ({}): see to it that no other process writes there",
                            name, std::generic_category().message(errno)));
    check();
    return;
  }
  if (lock_byte(descriptor_, kWriter, false) == LockOutcome::anothers) {
    throw Error(ExitCode::file_system,
                fmt::format("{} is being written by {}: wait for its end, or choose another folder", name,
                            printable(read_text_file(file_))));
  }
  check();
  const std::string text = this_process();
  if (retry([&] { return ftruncate(descriptor_, 0); }) != 0 ||
      retry([&] { return pwrite(descriptor_, text.data(), text.size(), 0); }) < 0) {
    throw file_error(fmt::format("cannot write {}", printable(file_.string())), errno);
  }
  unlock_byte(descriptor_, kText);
}

std::string FolderLock::owner(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / ".lock";
  const int descriptor = retry([&] { return open(file.c_str(), O_RDONLY | O_CLOEXEC); });
  if (descriptor < 0) return {};
  const bool locked = is_locked_by_another(descriptor, kWriter);
  close(descriptor);
  return locked ? printable(read_text_file(file)) : std::string();
}

void FolderLock::check_still_there() const {
  if (leads_to(file_.c_str(), descriptor_)) return;
  throw Error(ExitCode::file_system,
              fmt::format("{}, or its .lock, was removed, moved or replaced while the run went on: put it back and go "
                          "on with --resume, or start a new run",
                          printable(folder_.string())));
}

}  // namespace mnist_dist::run
