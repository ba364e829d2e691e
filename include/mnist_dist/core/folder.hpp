// Folders whose names survive a power loss. Local.
#pragma once

#include <filesystem>

namespace mnist_dist {

/// Waits until the names in a folder are on the disk. @return 0, or the error number that says why not
[[nodiscard]] int flush_folder(const std::filesystem::path& folder);

/// Makes a folder in one that exists. Its name is on the disk when this returns.
/// @return false when it was there before
/// @throws Error (file_system)
bool make_folder(const std::filesystem::path& path);

}  // namespace mnist_dist
