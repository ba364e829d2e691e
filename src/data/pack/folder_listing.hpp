// What a folder holds, without touching the files in it: one system call for many entries. Local.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace mnist_dist::data {

/// The names of the folders in `folder`, symbolic links to folders among them, in byte order; no hidden ones.
/// @throws Error (file_system)
[[nodiscard]] std::vector<std::string> list_folders(const std::filesystem::path& folder);

struct PngListing {
  std::vector<std::string> names;  ///< in byte order
  std::size_t others = 0;          ///< entries that are neither hidden nor called *.png
};

/// Everything in `folder` that is called *.png, in any case, whatever it is: a folder of that name is not
/// passed over in silence but fails when it is read. @throws Error (file_system)
[[nodiscard]] PngListing list_png_files(const std::filesystem::path& folder);

}  // namespace mnist_dist::data
