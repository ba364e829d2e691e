// The data set file that `h5pack` writes and training reads. Local: every rank opens the file for itself and reads
// only the rows that it asks for.
//
// Layout: /train/images and /test/images u8 [rows, height, width] (colour: [rows, height, width, 3]);
// /train/labels and /test/labels i32 [rows]; /classes text [classes], in byte order; /train/mean and
// /train/standard_deviation f32 [height, width] (colour: [height, width, 3]) over the training images;
// /train/names and /test/names: each row's path relative to the packed folder; /train/holdout u64 [rows held out],
// ascending, where the packed folder had validation images. Root attributes: format, format_version, content_sha256;
// test_share and test_share_seed where `h5pack pack --test-share` drew the test rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "mnist_dist/h5/file.hpp"

namespace mnist_dist::data {

inline constexpr const char* kDatasetFormat = "mnist-dist dataset";
inline constexpr std::int64_t kDatasetFormatVersion = 1;

/// The shape of every image of a data set.
struct ImageShape {
  std::size_t height = 0;
  std::size_t width = 0;
  std::size_t channels = 1;
  [[nodiscard]] std::size_t size() const { return height * width * channels; }
  bool operator==(const ImageShape&) const = default;
};

enum class Split { training, testing };

/// A data set file, open for reading.
class DatasetFile {
 public:
  /// Opens the file and checks that it is a data set of a version this program knows, whose parts agree in shape.
  /// @throws Error file_system: no such file; bad_data: not a data set (says what to run instead)
  explicit DatasetFile(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] ImageShape image_shape() const { return image_shape_; }
  [[nodiscard]] const std::vector<std::string>& classes() const { return classes_; }
  [[nodiscard]] const std::string& content_sha256() const { return content_sha256_; }
  [[nodiscard]] std::size_t rows(Split split) const;

  /// All labels of a split, each below classes().size(). @throws Error (bad_data) where one is not
  [[nodiscard]] std::vector<std::int32_t> labels(Split split) const;
  /// The images of the rows [first, first + pixels.size() / image_shape().size()), row-major.
  void read_images(Split split, std::size_t first, std::span<std::uint8_t> pixels) const;
  [[nodiscard]] std::vector<std::string> names(Split split) const;
  /// The training rows that are the holdout, ascending; empty where the data set leaves the choice to training.
  /// @throws Error (bad_data) where they are none, or leave no row to train on
  [[nodiscard]] std::vector<std::uint64_t> holdout_rows() const;
  /// The share of each class that was drawn for testing when the data set was packed, if so.
  [[nodiscard]] std::optional<double> test_share() const;
  /// Over the training images, [height x width x channels], each.
  [[nodiscard]] std::vector<float> mean() const;
  [[nodiscard]] std::vector<float> standard_deviation() const;

 private:
  std::filesystem::path path_;
  h5::File file_;
  ImageShape image_shape_;
  std::vector<std::string> classes_;
  std::string content_sha256_;
  std::size_t training_rows_ = 0;
  std::size_t testing_rows_ = 0;
};

}  // namespace mnist_dist::data
