#include "mnist_dist/data/pack/pack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <span>
#include <utility>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/random.hpp"
#include "mnist_dist/data/image_reader.hpp"
#include "mnist_dist/data/pack/dataset_writer.hpp"
#include "mnist_dist/data/pack/ordered_parallel.hpp"
#include "mnist_dist/data/pack/test_share.hpp"

namespace mnist_dist::data {
namespace {

// The order of the rows is the same in every file: content hashes can be compared.
constexpr std::uint64_t kOrderSeed = 0;

// An image has not the size that the others before it have.
struct SizeDiffers {};

// The rows of a split in the order in which they are stored.
std::vector<std::uint32_t> shuffled_rows(const ImageSource& source, Split split) {
  std::vector<std::uint32_t> order(source.rows(split));
  std::iota(order.begin(), order.end(), 0U);
  RandomStream stream({.seed = kOrderSeed,
                       .purpose = Purpose::pack_order,
                       .epoch = 0,
                       .id = split == Split::training ? std::uint64_t{0} : std::uint64_t{1}});
  stream.shuffle(std::span(order));
  return order;
}

// Rows that were decoded one after the other.
struct Batch {
  std::vector<std::uint8_t> pixels;
  std::vector<std::int32_t> labels;
  std::vector<std::string> names;
  std::vector<bool> held_out;
  std::vector<std::string> bad_images;  // why the others were skipped
};

// One attempt at a target with a given image shape.
class Packing {
 public:
  Packing(const ImageSource& source, const PackOptions& options, const ImageShape& shape, bool any_size)
      : source_(source), options_(options), shape_(shape), any_size_(any_size) {}

  // @param warned the bad images that were spoken of in an earlier attempt; grows
  PackResult run(const std::filesystem::path& target, std::set<std::string>& warned) {
    DatasetWriter writer(target, shape_, source_.classes(), options_.gzip);
    PackResult result;
    result.shape = shape_;
    result.training_rows = pack_split(Split::training, writer, warned);
    result.testing_rows = pack_split(Split::testing, writer, warned);
    if (result.training_rows == 0) {
      throw Error(ExitCode::bad_data, fmt::format("{}: none of the {} training images can be read",
                                                  printable(target.string()), source_.rows(Split::training)));
    }
    result.skipped_images = skipped_;
    result.holdout_rows = holdout_rows_.size();
    if (result.holdout_rows == result.training_rows) {
      throw Error(ExitCode::bad_data, fmt::format("{}: none of the training images that are not held out can be read",
                                                  printable(target.string())));
    }
    writer.set_holdout_rows(holdout_rows_);
    if (options_.test_share > 0) writer.set_test_share(options_.test_share, kTestShareSeed);
    result.content_sha256 = writer.finish();
    return result;
  }

 private:
  std::size_t pack_split(Split split, DatasetWriter& writer, std::set<std::string>& warned) {
    const std::vector<std::uint32_t> order = shuffled_rows(source_, split);
    const std::size_t batch_rows = DatasetWriter::rows_per_chunk(shape_);
    const std::size_t total = source_.rows(Split::training) + source_.rows(Split::testing);
    std::size_t written = 0;
    OrderedParallel<Batch> batches((order.size() + batch_rows - 1) / batch_rows, options_.jobs, [&](std::size_t i) {
      const auto rest = std::span<const std::uint32_t>(order).subspan(i * batch_rows);
      return decode(split, rest.first(std::min(rest.size(), batch_rows)));
    });
    batches.consume_all([&](const Batch& batch) {
      for (const std::string& message : batch.bad_images) {
        if (warned.insert(message).second) options_.warn(message);
      }
      writer.append(split, batch.pixels, batch.labels, batch.names);
      for (std::size_t i = 0; i < batch.held_out.size(); ++i) {
        if (batch.held_out[i]) holdout_rows_.push_back(written + i);
      }
      written += batch.labels.size();
      skipped_ += batch.bad_images.size();
      done_ += batch.labels.size() + batch.bad_images.size();
      options_.progress(done_, total);
    });
    return written;
  }

  Batch decode(Split split, std::span<const std::uint32_t> rows) const {
    Batch batch;
    batch.pixels.reserve(rows.size() * shape_.size());
    for (const std::uint32_t row : rows) {
      try {
        image::Image image = source_.image(split, row);
        if (!any_size_ && (image.height != shape_.height || image.width != shape_.width)) throw SizeDiffers{};
        const std::vector<std::uint8_t> pixels = fit_to_shape(std::move(image), shape_);
        batch.pixels.insert(batch.pixels.end(), pixels.begin(), pixels.end());
      } catch (const Error& error) {
        if (options_.on_bad_image == BadImage::fail) throw;
        batch.bad_images.emplace_back(error.what());
        continue;
      }
      batch.labels.push_back(source_.label(split, row));
      batch.names.push_back(source_.name(split, row));
      batch.held_out.push_back(split == Split::training && source_.is_held_out(row));
    }
    return batch;
  }

  const ImageSource& source_;
  const PackOptions& options_;
  ImageShape shape_;
  bool any_size_;
  std::size_t done_ = 0;
  std::size_t skipped_ = 0;
  std::vector<std::uint64_t> holdout_rows_;
};

// The size of the first training image, in the order of packing, that can be read; kDefaultSize when there is
// none.
ImageSize first_size(const ImageSource& source, const PackOptions& options) {
  for (const std::uint32_t row : shuffled_rows(source, Split::training)) {
    try {
      const image::Image image = source.image(Split::training, row);
      return {image.height, image.width};
    } catch (const Error&) {
      if (options.on_bad_image == BadImage::fail) throw;
    }
  }
  return kDefaultSize;
}

PackResult pack_all(const ImageSource& source, const std::filesystem::path& target, const PackOptions& options) {
  const std::size_t channels = options.colour ? 3 : 1;
  std::set<std::string> warned;
  const auto attempt = [&](const ImageSize& size, bool any_size) {
    return Packing(source, options, {size.height, size.width, channels}, any_size).run(target, warned);
  };
  if (options.size) return attempt(*options.size, true);
  // Nobody has looked at every image yet, and looking costs as much as packing: assume that they agree.
  try {
    return attempt(first_size(source, options), false);
  } catch (const SizeDiffers&) {
    PackResult result = attempt(kDefaultSize, true);
    result.sizes_differ = true;
    return result;
  }
}

}  // namespace

PackResult pack(const ImageSource& source, const std::filesystem::path& target, const PackOptions& options) {
  if (options.test_share == 0) return pack_all(source, target, options);
  return pack_all(TestShare(source, options.test_share), target, options);
}

}  // namespace mnist_dist::data
