#include "mnist_dist/data/pack/idx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>

#include "idx_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/image/image.hpp"

namespace mnist_dist::data {
namespace {

constexpr std::array<const char*, 2> kPrefixes = {"train", "t10k"};

// The file "PREFIX-WHAT", such as "train-images" of dimension 3, in whichever spelling it is there.
std::optional<std::filesystem::path> find_file(const std::filesystem::path& root, const char* prefix, const char* what,
                                               int dimensions) {
  for (const char* ending : {"", ".gz"}) {
    for (const char* separator : {"-", "."}) {
      const std::filesystem::path path =
          root / fmt::format("{}-{}{}idx{}-ubyte{}", prefix, what, separator, dimensions, ending);
      // What cannot be looked at is found, so that reading it can say why.
      std::error_code error;
      if (std::filesystem::exists(path, error) || error) return path;
    }
  }
  return std::nullopt;
}

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw Error(ExitCode::bad_data, fmt::format("{}: {}", printable(path.string()), what));
}

// The images and labels of one split.
struct IdxSplit {
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;
};

IdxSplit read_split(const std::filesystem::path& root, const char* prefix) {
  const std::optional<std::filesystem::path> images_path = find_file(root, prefix, "images", 3);
  const std::optional<std::filesystem::path> labels_path = find_file(root, prefix, "labels", 1);
  if (!images_path && !labels_path) return {};
  if (!images_path) fail(*labels_path, fmt::format("there is no {}-images-idx3-ubyte beside it", prefix));
  if (!labels_path) fail(*images_path, fmt::format("there is no {}-labels-idx1-ubyte beside it", prefix));
  IdxFile images = read_idx_file(*images_path, 3);
  IdxFile labels = read_idx_file(*labels_path, 1);
  if (images.extents[0] != labels.extents[0]) {
    fail(*labels_path, fmt::format("{} labels for the {} images of {}", labels.extents[0], images.extents[0],
                                   images_path->filename().string()));
  }
  IdxSplit split{images.extents[1], images.extents[2], std::move(images.values), std::move(labels.values)};
  if (!split.labels.empty() && (split.height == 0 || split.width == 0)) fail(*images_path, "its images have no pixels");
  const std::string fault = image::size_fault(split.width, split.height);
  if (!fault.empty()) fail(*images_path, "images of " + fault);
  return split;
}

class IdxSource final : public ImageSource {
 public:
  explicit IdxSource(const std::filesystem::path& root) {
    for (std::size_t i = 0; i < splits_.size(); ++i) splits_[i] = read_split(root, kPrefixes[i]);
    const std::vector<std::uint8_t>& training = splits_[0].labels;
    const std::vector<std::uint8_t>& testing = splits_[1].labels;
    if (training.empty()) fail(root, "no training images: train-images-idx3-ubyte is missing or empty");
    const unsigned largest = *std::max_element(training.begin(), training.end());
    for (const std::uint8_t label : testing) {
      if (std::find(training.begin(), training.end(), label) == training.end()) {
        fail(root, fmt::format("the class \"{}\" has test images but no training images", label));
      }
    }
    const std::size_t digits = std::to_string(largest).size();
    for (unsigned label = 0; label <= largest; ++label) classes_.push_back(fmt::format("{:0{}}", label, digits));
  }

  [[nodiscard]] const std::vector<std::string>& classes() const override { return classes_; }
  [[nodiscard]] std::size_t rows(Split split) const override { return of(split).labels.size(); }
  [[nodiscard]] std::int32_t label(Split split, std::size_t row) const override { return of(split).labels[row]; }
  [[nodiscard]] std::string name(Split split, std::size_t row) const override {
    return fmt::format("{}-images-idx3-ubyte/{:05}", kPrefixes[split == Split::training ? 0 : 1], row);
  }
  [[nodiscard]] image::Image image(Split split, std::size_t row) const override {
    const IdxSplit& data = of(split);
    const std::size_t size = data.height * data.width;
    const auto first = data.pixels.begin() + static_cast<std::ptrdiff_t>(row * size);
    return {data.height, data.width, 1, {first, first + static_cast<std::ptrdiff_t>(size)}};
  }

 private:
  [[nodiscard]] const IdxSplit& of(Split split) const { return splits_[split == Split::training ? 0 : 1]; }

  std::array<IdxSplit, 2> splits_;
  std::vector<std::string> classes_;
};

}  // namespace

bool has_idx_files(const std::filesystem::path& root) {
  return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](const char* prefix) { return find_file(root, prefix, "images", 3).has_value(); });
}

std::unique_ptr<ImageSource> open_idx_files(const std::filesystem::path& root) {
  return std::make_unique<IdxSource>(root);
}

}  // namespace mnist_dist::data
