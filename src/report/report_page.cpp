#include "mnist_dist/report/report_page.hpp"

#include "page_data.hpp"
#include "page_template.hpp"

namespace mnist_dist::report {

std::string report_page(std::span<const RunRecord> runs, const data::ImageRows& images,
                        std::span<const std::string> names) {
  const std::size_t rest = page_before_data().size() + page_after_data().size();
  std::string page(page_before_data());
  page += page_data(runs, images, names, kMostPageBytes - rest);
  page += page_after_data();
  return page;
}

}  // namespace mnist_dist::report
