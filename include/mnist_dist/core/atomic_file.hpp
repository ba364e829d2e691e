// The one way in which the program replaces a file: readers see the old file or the whole new one, never a
// part, whatever happens in between (Pillai et al., "All file systems are not created equal", OSDI 2014).
// Local.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace mnist_dist {

/// A file that is written without a name and takes the place of `target` when it is complete.
///
/// Where the target is a link, the file that it leads to is replaced, or made. What is no regular file is not replaced.
/// Where the file system has O_TMPFILE, a process that dies leaves nothing behind; elsewhere it leaves
/// ".NAME.partial" (of a long name, its beginning) beside the target, which the next attempt overwrites. Several
/// processes that write the same target at the same time take ".NAME.2.partial" and so on; the last one's file stays.
class AtomicFile {
 public:
  /// @throws Error (file_system) when the folder does not exist or cannot be written, or something else than a
  /// file has the name
  explicit AtomicFile(std::filesystem::path target);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  /// Without commit(): gives the new file up; the target stays as it was.
  ~AtomicFile();

  /// A path under which another library can open the unfinished file for writing, until commit().
  [[nodiscard]] std::filesystem::path path_for_writing() const;
  /// Appends bytes. @throws Error (file_system), for example when the disk is full
  void write(std::span<const std::byte> bytes);
  /// Appends a seal over all bytes of the unfinished file, whoever wrote them (core/sealed_bytes.hpp).
  void seal();
  /// Flushes the bytes to the disk, gives them the target's name, flushes the folder.
  /// @throws Error (file_system); the target is then as it was
  void commit();

 private:
  void open_partial();
  void link_partial();

  std::filesystem::path target_;
  std::filesystem::path partial_;
  int descriptor_ = -1;
  bool has_name_ = false;
};

/// Replaces the file at `target` by `bytes`, durably. @throws Error (file_system)
void write_file_atomically(const std::filesystem::path& target, std::span<const std::byte> bytes);
void write_file_atomically(const std::filesystem::path& target, std::string_view text);

}  // namespace mnist_dist
