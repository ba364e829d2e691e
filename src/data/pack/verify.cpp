#include "mnist_dist/data/pack/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/data/pack/content_hash.hpp"
#include "mnist_dist/data/pack/dataset_writer.hpp"
#include "mnist_dist/data/pack/pixel_statistics.hpp"

namespace mnist_dist::data {
namespace {

// How many chunks of the file are read at once.
constexpr std::size_t kChunksPerRead = 8;

void compare(const char* name, std::span<const float> stated, std::span<const float> computed,
             std::vector<std::string>& differences) {
  const auto [first, other] = std::mismatch(stated.begin(), stated.end(), computed.begin());
  if (first == stated.end()) return;
  differences.push_back(
      fmt::format("{} states {} for pixel {}, the images give {}", name, *first, first - stated.begin(), *other));
}

}  // namespace

std::vector<std::string> verify(const DatasetFile& file,
                                const std::function<void(std::size_t done, std::size_t total)>& progress) {
  const ImageShape shape = file.image_shape();
  const std::size_t rows_per_read = kChunksPerRead * DatasetWriter::rows_per_chunk(shape);
  const std::size_t total = file.rows(Split::training) + file.rows(Split::testing);
  ContentHash hash(shape, file.classes());
  PixelStatistics statistics(shape.size());
  std::vector<std::uint8_t> pixels;
  std::size_t done = 0;
  for (const Split split : {Split::training, Split::testing}) {
    const std::vector<std::int32_t> labels = file.labels(split);
    static_cast<void>(file.names(split));  // no hash covers them, but they must be readable
    for (std::size_t first = 0; first < labels.size(); first += rows_per_read) {
      const std::size_t count = std::min(rows_per_read, labels.size() - first);
      pixels.resize(count * shape.size());
      file.read_images(split, first, pixels);
      hash.add_rows(split, pixels, std::span(labels).subspan(first, count));
      if (split == Split::training) statistics.add_rows(pixels);
      progress(done += count, total);
    }
  }
  std::vector<std::string> differences;
  const std::string computed = hash.finish(file.holdout_rows());
  if (computed != file.content_sha256()) {
    differences.push_back(
        fmt::format("content_sha256 states {}, the rows give {}", printable(file.content_sha256()), computed));
  }
  compare("/train/mean", file.mean(), statistics.mean(), differences);
  compare("/train/standard_deviation", file.standard_deviation(), statistics.standard_deviation(), differences);
  return differences;
}

}  // namespace mnist_dist::data
