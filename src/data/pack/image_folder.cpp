#include "mnist_dist/data/pack/image_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <utility>

#include "folder_listing.hpp"
#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/image/image_file.hpp"
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
  std::string validation;  // only beside training: elsewhere it may be a class
  std::string testing;
};

SplitFolders find_split_folders(const std::filesystem::path& root) {
  const std::vector<std::string> folders = list_folders(root);
  SplitFolders found{find_split_folder(root, folders, "training", "train"), "",
                     find_split_folder(root, folders, "testing", "test")};
  if (!found.training.empty()) found.validation = find_split_folder(root, folders, "validation", "val");
  return found;
}

// "3 GIF files, 1 nested folder": the most frequent kinds, most frequent first.
std::string describe_counts(const std::map<std::string, std::size_t>& counts) {
  constexpr std::size_t kKinds = 8;
  std::vector<std::pair<std::string, std::size_t>> kinds(counts.begin(), counts.end());
  std::ranges::stable_sort(kinds, std::greater<>(), &std::pair<std::string, std::size_t>::second);
  std::string text;
  std::size_t rest = 0;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    const auto& [kind, count] = kinds[i];
    if (i < kKinds) text += (i > 0 ? ", " : "") + counted(count, kind);
    if (i >= kKinds) rest += count;
  }
  return rest > 0 ? fmt::format("{}, {} of other kinds", text, rest) : text;
}

class ImageFolder final : public ImageSource {
 public:
  explicit ImageFolder(const std::filesystem::path& root) : root_(root) {
    const SplitFolders folders = find_split_folders(root);
    if (folders.training.empty() && !folders.testing.empty()) {
      fail(root, fmt::format("holds {}/ but no training/ or train/", folders.testing));
    }
    scan(Role::training, folders.training);
    if (classes_.empty()) {
      fail(folders.training.empty() ? root : root / folders.training,
           fmt::format(
               "no PNG or JPEG images{}; wanted ROOT/training/CLASS/* and ROOT/testing/CLASS/*, or ROOT/CLASS/*, "
               "or the MNIST IDX files in ROOT",
               ignored_.empty() ? "" : fmt::format(" in folders of classes, but {}", ignored())));
    }
    if (!folders.validation.empty()) scan(Role::validation, folders.validation);
    if (!folders.testing.empty()) scan(Role::testing, folders.testing);
    if (!folders.training.empty()) count_others(root, folders);
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
    return image::read_image(root_ / relative_path(split, row));
  }
  [[nodiscard]] bool is_held_out(std::size_t row) const override {
    return folders_[files(Split::training)[row].folder].is_held_out;
  }
  [[nodiscard]] std::string ignored() const override { return describe_counts(ignored_); }

 private:
  enum class Role { training, validation, testing };
  struct ClassFolder {
    std::string prefix;  // the path relative to the root, with a slash at the end
    std::int32_t label = 0;
    bool is_held_out = false;
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

  void count(const std::string& kind, std::size_t number) {
    if (number > 0) ignored_[kind] += number;
  }
  // Counts what lies in a folder beside the images of a class.
  void count(const ImageListing& listing) {
    for (const auto& [kind, number] : listing.others) count(kind, number);
  }
  // Counts what lies beside the folders of the splits.
  void count_others(const std::filesystem::path& root, const SplitFolders& folders) {
    const ImageListing listing = list_images(root);
    count(listing);
    count("unsorted image", listing.names.size());
    for (const std::string& name : list_folders(root)) {
      if (name == folders.training || name == folders.validation || name == folders.testing) continue;
      count(fmt::format("folder {}/", printable(name)), 1);
    }
  }

  // Takes in the class folders in `folder`, which is relative to the root.
  void scan(Role role, const std::string& folder) {
    const ImageListing beside = list_images(root_ / folder);
    count(beside);
    count("unsorted image", beside.names.size());
    for (const std::string& name : list_folders(root_ / folder)) {
      const std::filesystem::path path = root_ / folder / name;
      ImageListing listing = list_images(path);
      count(listing);
      count("nested folder", listing.folders);
      if (listing.names.empty()) {
        log_warning(fmt::format("{} holds no PNG or JPEG images: not taken as a class", printable(path.string())));
        continue;
      }
      const std::string prefix = (std::filesystem::path(folder) / name / "").string();
      folders_.push_back({prefix, label_of(role, path, name), role == Role::validation});
      std::vector<File>& files = files_[role == Role::testing ? 1 : 0];
      for (std::string& file : listing.names) {
        files.push_back({static_cast<std::uint32_t>(folders_.size() - 1), std::move(file)});
      }
    }
  }

  // The label of the class called `name`; training adds classes, in byte order.
  std::int32_t label_of(Role role, const std::filesystem::path& path, const std::string& name) {
    if (role == Role::training) {
      if (to_utf8(name) != name) fail(path, "the folder's name, which names a class, is not valid UTF-8");
      classes_.push_back(name);
      return static_cast<std::int32_t>(classes_.size() - 1);
    }
    const auto found = std::lower_bound(classes_.begin(), classes_.end(), name);
    if (found == classes_.end() || *found != name) {
      fail(path, fmt::format("the class \"{}\" has {} images but no training images", printable(name),
                             role == Role::testing ? "test" : "validation"));
    }
    return static_cast<std::int32_t>(found - classes_.begin());
  }

  std::filesystem::path root_;
  std::vector<std::string> classes_;
  std::vector<ClassFolder> folders_;
  std::array<std::vector<File>, 2> files_;
  std::map<std::string, std::size_t> ignored_;  // by kind
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
