// Many small images on one large one, for a person to look at. Local; safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "mnist_dist/image/image.hpp"

namespace mnist_dist::image {

/// The width of the lines around and between the images of a sheet, in pixels of the sheet, and their grey.
inline constexpr std::size_t kSheetLine = 2;
inline constexpr std::uint8_t kSheetLineGrey = 96;

/// Rows of images, one below the other, with thin lines between them. Where a row is shorter than the longest, the
/// place of what is missing is black.
/// @param rows images of one height, width and number of channels; at least one image
/// @param enlargement what a pixel's side is on the sheet, in pixels; at least 1
/// @throws Error (bug) when there are no images, or they differ in shape
[[nodiscard]] Image contact_sheet(std::span<const std::vector<Image>> rows, std::size_t enlargement);

}  // namespace mnist_dist::image
