// What a folder holds. Files that are called like images are not touched: one system call for many entries. Local.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace mnist_dist::data {

/// The names of the folders in `folder`, symbolic links to folders among them, in byte order; no hidden ones.
/// @throws Error (file_system)
[[nodiscard]] std::vector<std::string> list_folders(const std::filesystem::path& folder);

struct ImageListing {
  std::vector<std::string> names;             ///< in byte order
  std::size_t folders = 0;                    ///< those in it, hidden ones left out
  std::map<std::string, std::size_t> others;  ///< how many other files of each kind: "GIF file", ".txt file"
};

/// The images in `folder`: what is called *.png, *.jpg or *.jpeg, in any case, and every other file whose first bytes
/// are those of such an image. What has the name of an image and is none, be it a folder, is not passed over in
/// silence but fails when it is read. @throws Error (file_system)
[[nodiscard]] ImageListing list_images(const std::filesystem::path& folder);

}  // namespace mnist_dist::data
