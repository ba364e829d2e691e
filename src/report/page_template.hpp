// The page that src/report/page holds, in one piece, around the place of its data. The build writes the definitions.
#pragma once

#include <string_view>

namespace mnist_dist::report {

[[nodiscard]] std::string_view page_before_data();
[[nodiscard]] std::string_view page_after_data();

}  // namespace mnist_dist::report
