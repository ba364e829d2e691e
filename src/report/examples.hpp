// The test images that a report shows: which, and all of them on one sheet. Local.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "mnist_dist/data/image_rows.hpp"
#include "mnist_dist/image/image.hpp"
#include "mnist_dist/report/run_record.hpp"

namespace mnist_dist::report {

/// Test images worth looking at, the most worth first. The first `worst` are the mistakes that the model was most sure
/// of. Then come a few of each cell of the confusion matrix in turn: the surest of the wrong, the least sure of the
/// right ones.
struct Examples {
  std::vector<std::size_t> rows;
  std::size_t worst = 0;
};

[[nodiscard]] Examples choose_examples(std::span<const Prediction> predictions);

/// Images side by side, reduced where they are large (image/contact_sheet.hpp).
struct ExampleSheet {
  image::Image sheet;
  std::size_t columns = 0;
  std::size_t height = 0;  ///< of an image on the sheet
  std::size_t width = 0;
};

/// @param rows at least one
[[nodiscard]] ExampleSheet draw_examples(const data::ImageRows& images, const data::ImageShape& shape,
                                         std::span<const std::size_t> rows);

}  // namespace mnist_dist::report
