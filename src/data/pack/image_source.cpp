#include "mnist_dist/data/pack/image_source.hpp"

#include "mnist_dist/data/pack/idx.hpp"
#include "mnist_dist/data/pack/image_folder.hpp"

namespace mnist_dist::data {

std::unique_ptr<ImageSource> open_image_source(const std::filesystem::path& root) {
  if (!has_split_folders(root) && has_idx_files(root)) return open_idx_files(root);
  return open_image_folder(root);
}

}  // namespace mnist_dist::data
