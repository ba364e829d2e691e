#include "mnist_dist/data/dataset_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/image/image.hpp"

namespace mnist_dist::data {
namespace {

std::string group_of(Split split) {
  return split == Split::training ? "/train" : "/test";
}

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw Error(ExitCode::bad_data, fmt::format("{}: {}", printable(path.string()), what));
}

void check_format(const h5::File& file, const std::filesystem::path& path) {
  const std::string format = file.has_attribute("format") ? file.string_attribute("format") : "";
  if (format != kDatasetFormat) {
    const std::string what = format.empty() ? "an HDF5 file" : fmt::format("a \"{}\"", printable(format));
    fail(path, fmt::format("{}, not a data set; `h5pack pack FOLDER FILE.h5` makes one of a folder of images", what));
  }
  const std::int64_t found = file.integer_attribute("format_version");
  if (found != kDatasetFormatVersion) {
    fail(path, fmt::format("data set format version {}; this program reads version {}: pack the images again", found,
                           kDatasetFormatVersion));
  }
}

ImageShape read_image_shape(const h5::File& file, const std::filesystem::path& path) {
  const h5::Shape shape = file.shape("/train/images");
  if (shape.size() == 3) return {shape[1], shape[2], 1};
  if (shape.size() == 4 && shape[3] == 3) return {shape[1], shape[2], 3};
  fail(path, "/train/images is not [rows, height, width] or [rows, height, width, 3]");
}

h5::Shape row_shape_of(const ImageShape& shape) {
  if (shape.channels == 1) return {shape.height, shape.width};
  return {shape.height, shape.width, shape.channels};
}

// Checks that a split's data sets agree with each other and with the training images. @return its rows
std::size_t check_split(const h5::File& file, const std::filesystem::path& path, Split split,
                        const h5::Shape& row_shape) {
  const std::string group = group_of(split);
  const h5::Shape images = file.shape(group + "/images");
  if (images.size() != row_shape.size() + 1 || !std::equal(row_shape.begin(), row_shape.end(), images.begin() + 1)) {
    fail(path, group + "/images has another shape than /train/images");
  }
  for (const char* name : {"/labels", "/names"}) {
    if (file.shape(group + name) != h5::Shape{images[0]}) {
      fail(path, fmt::format("{}{} does not have the {} rows of {}/images", group, name, images[0], group));
    }
  }
  return images[0];
}

}  // namespace

DatasetFile::DatasetFile(const std::filesystem::path& path) : path_(path), file_(h5::File::open(path)) {
  check_format(file_, path);
  image_shape_ = read_image_shape(file_, path);
  if (image_shape_.size() == 0) fail(path, "the images have no pixels");
  const std::string fault = image::size_fault(image_shape_.width, image_shape_.height);
  if (!fault.empty()) fail(path, "images of " + fault);
  const h5::Shape row_shape = row_shape_of(image_shape_);
  training_rows_ = check_split(file_, path, Split::training, row_shape);
  testing_rows_ = check_split(file_, path, Split::testing, row_shape);
  for (const char* name : {"/train/mean", "/train/standard_deviation"}) {
    if (file_.shape(name) != row_shape) fail(path, fmt::format("{} does not have the shape of an image", name));
  }
  classes_ = file_.read_strings("/classes");
  if (classes_.empty()) fail(path, "/classes is empty");
  content_sha256_ = printable(file_.string_attribute("content_sha256"));
}

std::size_t DatasetFile::rows(Split split) const {
  return split == Split::training ? training_rows_ : testing_rows_;
}

std::vector<std::int32_t> DatasetFile::labels(Split split) const {
  const std::string name = group_of(split) + "/labels";
  std::vector<std::int32_t> labels = file_.read<std::int32_t>(name, {rows(split)});
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (labels[row] < 0 || static_cast<std::size_t>(labels[row]) >= classes_.size()) {
      fail(path_, fmt::format("{}: row {} has the label {}, but there are {} classes", name, row, labels[row],
                              classes_.size()));
    }
  }
  return labels;
}

void DatasetFile::read_images(Split split, std::size_t first, std::span<std::uint8_t> pixels) const {
  file_.read_rows<std::uint8_t>(group_of(split) + "/images", first, pixels);
}

std::vector<std::string> DatasetFile::names(Split split) const {
  return file_.read_strings(group_of(split) + "/names");
}

std::vector<std::uint64_t> DatasetFile::holdout_rows() const {
  constexpr const char* kName = "/train/holdout";
  if (!file_.has(kName)) return {};
  const h5::Shape shape = file_.shape(kName);
  if (shape.size() != 1 || shape[0] == 0 || shape[0] >= training_rows_) {
    fail(path_, fmt::format("{} does not name some of the {} training rows", kName, training_rows_));
  }
  std::vector<std::uint64_t> rows = file_.read<std::uint64_t>(kName, shape);
  if (rows.back() >= training_rows_ || std::ranges::adjacent_find(rows, std::greater_equal<>()) != rows.end()) {
    fail(path_, fmt::format("{} does not name rows in ascending order, below {}", kName, training_rows_));
  }
  return rows;
}

std::optional<double> DatasetFile::test_share() const {
  if (!file_.has_attribute("test_share")) return std::nullopt;
  return file_.real_attribute("test_share");
}

std::vector<float> DatasetFile::mean() const {
  return file_.read<float>("/train/mean");
}

std::vector<float> DatasetFile::standard_deviation() const {
  return file_.read<float>("/train/standard_deviation");
}

}  // namespace mnist_dist::data
