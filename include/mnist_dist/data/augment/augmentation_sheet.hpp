// What augmentation makes of some rows, for a person to look at. Local.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mnist_dist/data/augment/augmentation.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/image_rows.hpp"
#include "mnist_dist/image/image.hpp"

namespace mnist_dist::data {

/// A contact sheet (image/contact_sheet.hpp): each row of it shows one of `rows`, first as it is, then as a training
/// with these settings and this seed shows it in its epochs 1 to `epochs`.
/// @param rows at least one, of images of this shape  @param enlargement the side of a pixel on the sheet; at least 1
/// @throws Error (usage) when a setting is out of its bounds
[[nodiscard]] image::Image augmentation_sheet(const ImageRows& rows, const ImageShape& shape,
                                              const AugmentationSettings& settings, std::uint64_t seed,
                                              std::uint32_t epochs, std::size_t enlargement);

}  // namespace mnist_dist::data
