#include "mnist_dist/data/pack/content_hash.hpp"

#include <fmt/format.h>

#include <bit>

namespace mnist_dist::data {

static_assert(std::endian::native == std::endian::little, "labels are hashed and stored as they lie in memory");

ContentHash::ContentHash(const ImageShape& shape, std::span<const std::string> classes) {
  Sha256 names;
  for (const std::string& name : classes) names.update(std::string_view(name.c_str(), name.size() + 1));
  header_ = fmt::format("mnist-dist dataset content 1\nheight {} width {} channels {}\nclasses {}\n", shape.height,
                        shape.width, shape.channels, names.finish());
}

void ContentHash::add_rows(Split split, std::span<const std::uint8_t> pixels, std::span<const std::int32_t> labels) {
  SplitHash& hash = splits_[split == Split::training ? 0 : 1];
  hash.rows += labels.size();
  hash.images.update(std::as_bytes(pixels));
  hash.labels.update(std::as_bytes(labels));
}

std::string ContentHash::finish(std::span<const std::uint64_t> holdout_rows) {
  std::string text = header_;
  const char* name = "training";
  for (SplitHash& split : splits_) {
    text +=
        fmt::format("{} rows {} images {} labels {}\n", name, split.rows, split.images.finish(), split.labels.finish());
    name = "testing";
  }
  if (!holdout_rows.empty()) {
    text += fmt::format("holdout rows {} {}\n", holdout_rows.size(), sha256_hex(std::as_bytes(holdout_rows)));
  }
  return sha256_hex(std::as_bytes(std::span(text)));
}

}  // namespace mnist_dist::data
