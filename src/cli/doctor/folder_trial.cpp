#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <span>
#include <system_error>
#include <thread>

#include "gathering.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/file_lock.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/read_file.hpp"

namespace mnist_dist::cli::doctor {
namespace {

/// The folder, or where it would be made.
std::filesystem::path first_there(std::filesystem::path folder) {
  std::error_code ignored;
  while (!folder.empty() && !std::filesystem::exists(folder, ignored)) folder = folder.parent_path();
  return folder.empty() ? "." : folder;
}

/// A file that is open for as long as this lives.
struct OpenFile {
  explicit OpenFile(const std::filesystem::path& path, int flags = O_RDWR)
      : descriptor(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (descriptor >= 0) close(descriptor);
  }
  [[nodiscard]] LockOutcome take_lock() const {
    return descriptor < 0 ? LockOutcome::not_supported : lock_byte(descriptor, 0, false);
  }
  int descriptor;
};

/// Writes the file durably, as checkpoints are.
FolderFacts write_there(const std::filesystem::path& folder, const std::filesystem::path& file,
                        const std::string& text) {
  FolderFacts facts;
  facts.path = printable(folder.string());
  std::error_code unknown;
  const std::filesystem::space_info space = std::filesystem::space(folder, unknown);
  if (!unknown) facts.free = static_cast<double>(space.available);
  try {
    write_file_atomically(file, text);
    facts.has_nameless_files = OpenFile(folder, O_TMPFILE | O_RDWR).descriptor >= 0;
  } catch (const Error& error) {
    facts.error = error.what();
  }
  return facts;
}

/// Whether the file is there with this text. Other hosts may hear of it late.
bool sees(const std::filesystem::path& file, const std::string& text) {
  for (int trial = 0; trial < 50; ++trial) {
    try {
      if (read_text_file(file) == text) return true;
    } catch (const Error&) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

}  // namespace

FolderFacts try_folder(const comm::Communicator& hosts, const std::filesystem::path& folder, HostFacts& mine) {
  const bool writes = hosts.rank() == 0;
  const std::filesystem::path place = first_there(folder);
  const std::string text = hosts.broadcast(fmt::format("process {} on {}", getpid(), host_name()));
  // The others must not look for a place of their own.
  const std::filesystem::path file = hosts.broadcast((place / fmt::format(".mnist-dist-doctor-{}", getpid())).string());
  FolderFacts facts;
  if (writes) facts = write_there(place, file, text);
  if (hosts.broadcast(facts.error).empty()) {
    const OpenFile locked(writes ? file : std::filesystem::path());
    bool has_lock = writes && locked.take_lock() == LockOutcome::ours;
    hosts.broadcast(std::span(&has_lock, 1));
    mine.sees_folder = writes || sees(file, text);
    mine.sees_lock = has_lock && mine.sees_folder && OpenFile(file).take_lock() == LockOutcome::anothers;
    hosts.barrier();  // the file is there until all have looked
  }
  std::error_code ignored;
  if (writes) std::filesystem::remove(file, ignored);
  return facts;
}

}  // namespace mnist_dist::cli::doctor
