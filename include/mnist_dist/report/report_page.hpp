// The report of one run or several as one HTML file that needs no other file and no network. Local.
//
// The page itself lies in src/report/page, and is built into the program. What it shows comes with it as one block of
// JSON, which page_data.cpp makes and describes.
#pragma once

#include <span>
#include <string>

#include "mnist_dist/data/image_rows.hpp"
#include "mnist_dist/report/run_record.hpp"

namespace mnist_dist::report {

/// No page is larger, in bytes. Pictures give way first, then the network that draws: without it, the page says so.
inline constexpr std::size_t kMostPageBytes = 2'000'000;

/// @param runs at least one; the first is shown in full, the others beside it
/// @param images, names the test images that the first run was measured on
[[nodiscard]] std::string report_page(std::span<const RunRecord> runs, const data::ImageRows& images,
                                      std::span<const std::string> names);

}  // namespace mnist_dist::report
