// Training images that are kept back for testing where nobody did: `h5pack pack --test-share`. Local.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "mnist_dist/data/pack/image_source.hpp"

namespace mnist_dist::data {

/// The same images are drawn whenever the same files are packed.
inline constexpr std::uint64_t kTestShareSeed = 0;

/// A source with another one's images, some of its training rows as test rows. Rows keep their order.
///
/// Stratified: of each class, `share` of its images (rounded to the nearest number, but at least one, and at least one
/// remains), drawn without replacement. An image that is alone in its class is not drawn, and none that is held out.
class TestShare final : public ImageSource {
 public:
  /// @param source outlives this one  @param share in (0, 1)
  /// @throws Error (usage) when the source has test images
  TestShare(const ImageSource& source, double share);

  [[nodiscard]] const std::vector<std::string>& classes() const override { return source_.classes(); }
  [[nodiscard]] std::size_t rows(Split split) const override { return rows_of(split).size(); }
  [[nodiscard]] std::int32_t label(Split split, std::size_t row) const override;
  [[nodiscard]] std::string name(Split split, std::size_t row) const override;
  [[nodiscard]] image::Image image(Split split, std::size_t row) const override;
  [[nodiscard]] bool is_held_out(std::size_t row) const override { return source_.is_held_out(training_[row]); }
  [[nodiscard]] std::string ignored() const override { return source_.ignored(); }

 private:
  [[nodiscard]] const std::vector<std::size_t>& rows_of(Split split) const {
    return split == Split::training ? training_ : testing_;
  }

  const ImageSource& source_;
  std::vector<std::size_t> training_;  // training rows of the source
  std::vector<std::size_t> testing_;   // likewise
};

}  // namespace mnist_dist::data
