#include "mnist_dist/data/pack/dataset_writer.hpp"

#include <algorithm>
#include <utility>

namespace mnist_dist::data {
namespace {

// Large enough that a read is worth its call, small enough that a shard's end wastes little.
constexpr std::size_t kChunkBytes = std::size_t{256} << 10;

std::string group_of(Split split) {
  return split == Split::training ? "/train" : "/test";
}

h5::Shape row_shape_of(const ImageShape& shape) {
  if (shape.channels == 1) return {shape.height, shape.width};
  return {shape.height, shape.width, shape.channels};
}

}  // namespace

DatasetWriter::DatasetWriter(const std::filesystem::path& target, const ImageShape& shape,
                             std::vector<std::string> classes, int gzip)
    : shape_(shape),
      classes_(std::move(classes)),
      target_(target),
      file_(h5::File::create(target_.path_for_writing(), target.string())),
      hash_(shape, classes_),
      statistics_(shape.size()) {
  const h5::RowStorage storage{row_shape_of(shape), rows_per_chunk(shape), gzip};
  for (const Split split : {Split::training, Split::testing}) {
    file_.create_rows<std::uint8_t>(group_of(split) + "/images", storage);
  }
}

std::size_t DatasetWriter::rows_per_chunk(const ImageShape& shape) {
  return std::max<std::size_t>(1, kChunkBytes / shape.size());
}

void DatasetWriter::append(Split split, std::span<const std::uint8_t> pixels, std::span<const std::int32_t> labels,
                           std::span<const std::string> names) {
  hash_.add_rows(split, pixels, labels);
  if (split == Split::training) statistics_.add_rows(pixels);
  SplitRows& rows = splits_[split == Split::training ? 0 : 1];
  rows.labels.insert(rows.labels.end(), labels.begin(), labels.end());
  rows.names.insert(rows.names.end(), names.begin(), names.end());

  // Whole chunks only: a chunk that is written in parts is read back, and compressed, once more for every
  // part.
  const std::size_t chunk = rows_per_chunk(shape_) * shape_.size();
  const std::string images = group_of(split) + "/images";
  if (!rows.pending.empty()) {
    const std::size_t taken = std::min(pixels.size(), chunk - rows.pending.size());
    rows.pending.insert(rows.pending.end(), pixels.begin(), pixels.begin() + static_cast<std::ptrdiff_t>(taken));
    pixels = pixels.subspan(taken);
    if (rows.pending.size() < chunk) return;
    file_.append_rows<std::uint8_t>(images, rows.pending);
    rows.pending.clear();
  }
  const std::size_t whole = pixels.size() - pixels.size() % chunk;
  file_.append_rows<std::uint8_t>(images, pixels.first(whole));
  rows.pending.assign(pixels.begin() + static_cast<std::ptrdiff_t>(whole), pixels.end());
}

void DatasetWriter::set_test_share(double share, std::uint64_t seed) {
  file_.write_attribute("test_share", share);
  file_.write_attribute("test_share_seed", static_cast<std::int64_t>(seed));
}

std::string DatasetWriter::finish() {
  for (const Split split : {Split::training, Split::testing}) {
    SplitRows& rows = splits_[split == Split::training ? 0 : 1];
    file_.append_rows<std::uint8_t>(group_of(split) + "/images", rows.pending);
    rows.pending.clear();
    file_.write<std::int32_t>(group_of(split) + "/labels", rows.labels, {rows.labels.size()});
    file_.write_strings(group_of(split) + "/names", rows.names);
  }
  if (!holdout_rows_.empty()) {
    file_.write<std::uint64_t>("/train/holdout", holdout_rows_, {holdout_rows_.size()});
  }
  file_.write<float>("/train/mean", statistics_.mean(), row_shape_of(shape_));
  file_.write<float>("/train/standard_deviation", statistics_.standard_deviation(), row_shape_of(shape_));
  file_.write_strings("/classes", classes_);
  std::string content_sha256 = hash_.finish(holdout_rows_);
  file_.write_attribute("format", std::string(kDatasetFormat));
  file_.write_attribute("format_version", kDatasetFormatVersion);
  file_.write_attribute("content_sha256", content_sha256);
  file_.close();
  target_.seal();
  target_.commit();
  return content_sha256;
}

}  // namespace mnist_dist::data
