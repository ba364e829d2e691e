// Reads whole files. Local.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace mnist_dist {

/// Whoever reads a pipe or a device may wait for ever, or read for ever. A missing file and a folder pass.
/// @throws Error (file_system)
void check_regular_file(const std::filesystem::path& path);

/// The whole file. @throws Error (file_system), for what is no regular file, too
[[nodiscard]] std::vector<std::byte> read_file(const std::filesystem::path& path);
[[nodiscard]] std::string read_text_file(const std::filesystem::path& path);
/// The same, or all that is written to a pipe. @throws Error (file_system), also where the process is to stop meanwhile
[[nodiscard]] std::string read_text_file_or_pipe(const std::filesystem::path& path);

}  // namespace mnist_dist
