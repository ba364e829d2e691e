#include "mnist_dist/data/pack/image_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "folder_listing.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/image/png.hpp"
#include "utf8.hpp"

namespace mnist_dist::data {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw Error(ExitCode::bad_data, fmt::format("{}: {}", printable(path.string()), what));
}

// The folder of a split, by either name; empty when there is none.
std::string find_split_folder(const std::filesystem::path& root, const std::vector<std::string>& folders,
                              const char* name, const char* other_name) {
  const bool found = std::binary_search(folders.begin(), folders.end(), name);
  const bool found_other = std::binary_search(folders.begin(), folders.end(), other_name);
  if (found && found_other) {
    fail(root, fmt::format("holds both {}/ and {}/: which one is meant? Rename or remove one", name, other_name));
  }
  if (found) return name;
  return found_other ? other_name : "";
}

struct SplitFolders {
  std::string training;
  std::string testing;
};

SplitFolders find_split_folders(const std::filesystem::path& root) {
  const std::vector<std::string> folders = list_folders(root);
  return {find_split_folder(root, folders, "training", "train"), find_split_folder(root, folders, "testing", "test")};
}

class ImageFolder final : public ImageSource {
 public:
  explicit ImageFolder(const std::filesystem::path& root) : root_(root) {
    const SplitFolders folders = find_split_folders(root);
    if (folders.training.empty() && !folders.testing.empty()) {
      fail(root, fmt::format("holds {}/ but no training/ or train/", folders.testing));
    }
    scan(Split::training, folders.training);
    if (classes_.empty()) {
      fail(folders.training.empty() ? root : root / folders.training,
           "no PNG images; wanted ROOT/training/CLASS/*.png and ROOT/testing/CLASS/*.png, or "
           "ROOT/CLASS/*.png, or "
           "the MNIST IDX files in ROOT");
    }
    if (!folders.testing.empty()) scan(Split::testing, folders.testing);
  }

  [[nodiscard]] const std::vector<std::string>& classes() const override { return classes_; }
  [[nodiscard]] std::size_t rows(Split split) const override { return files(split).size(); }
  [[nodiscard]] std::int32_t label(Split split, std::size_t row) const override {
    return folders_[files(split)[row].folder].label;
  }
  [[nodiscard]] std::string name(Split split, std::size_t row) const override {
    return to_utf8(relative_path(split, row));
  }
  [[nodiscard]] image::Image image(Split split, std::size_t row) const override {
    return image::read_png(root_ / relative_path(split, row));
  }
  [[nodiscard]] std::size_t ignored_files() const override { return ignored_files_; }

 private:
  struct ClassFolder {
    std::string prefix;  // the path relative to the root, with a slash at the end
    std::int32_t label = 0;
  };
  struct File {
    std::uint32_t folder = 0;
    std::string name;
  };

  [[nodiscard]] const std::vector<File>& files(Split split) const { return files_[split == Split::training ? 0 : 1]; }
  [[nodiscard]] std::string relative_path(Split split, std::size_t row) const {
    const File& file = files(split)[row];
    return folders_[file.folder].prefix + file.name;
  }

  // Takes in the class folders in `folder`, which is relative to the root.
  void scan(Split split, const std::string& folder) {
    ignored_files_ += folder.empty() ? 0 : list_png_files(root_ / folder).names.size();
    for (const std::string& name : list_folders(root_ / folder)) {
      const std::filesystem::path path = root_ / folder / name;
      PngListing listing = list_png_files(path);
      ignored_files_ += listing.others;
      if (listing.names.empty()) {
        log_warning(fmt::format("{} holds no PNG images: not taken as a class", printable(path.string())));
        continue;
      }
      folders_.push_back({(std::filesystem::path(folder) / name / "").string(), label_of(split, path, name)});
      std::vector<File>& files = files_[split == Split::training ? 0 : 1];
      for (std::string& file : listing.names) {
        files.push_back({static_cast<std::uint32_t>(folders_.size() - 1), std::move(file)});
      }
    }
  }

  // The label of the class called `name`; training adds classes, in byte order.
  std::int32_t label_of(Split split, const std::filesystem::path& path, const std::string& name) {
    if (split == Split::training) {
      if (to_utf8(name) != name) fail(path, "the folder's name, which names a class, is not valid UTF-8");
      classes_.push_back(name);
      return static_cast<std::int32_t>(classes_.size() - 1);
    }
    const auto found = std::lower_bound(classes_.begin(), classes_.end(), name);
    if (found == classes_.end() || *found != name) {
      fail(path, fmt::format("the class \"{}\" has test images but no training images", printable(name)));
    }
    return static_cast<std::int32_t>(found - classes_.begin());
  }

  std::filesystem::path root_;
  std::vector<std::string> classes_;
  std::vector<ClassFolder> folders_;
  std::array<std::vector<File>, 2> files_;
  std::size_t ignored_files_ = 0;
};

}  // namespace

bool has_split_folders(const std::filesystem::path& root) {
  const SplitFolders folders = find_split_folders(root);
  return !folders.training.empty() || !folders.testing.empty();
}

std::unique_ptr<ImageSource> open_image_folder(const std::filesystem::path& root) {
  return std::make_unique<ImageFolder>(root);
}

}  // namespace mnist_dist::data
