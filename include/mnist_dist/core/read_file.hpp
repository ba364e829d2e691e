// Reads whole files. Local.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace mnist_dist {

/// The whole file. @throws Error (file_system)
[[nodiscard]] std::vector<std::byte> read_file(const std::filesystem::path& path);
[[nodiscard]] std::string read_text_file(const std::filesystem::path& path);

}  // namespace mnist_dist
