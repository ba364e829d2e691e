# Puts the report's page together, with Chart.js, and builds it into the program.
find_file(CHART_JS NAMES chart.min.js Chart.min.js
          PATHS /usr/share/javascript/chart.js /usr/share/nodejs/chart.js/dist NO_DEFAULT_PATH)
if(NOT CHART_JS)
  message(FATAL_ERROR "Chart.js is missing: install libjs-chart.js, or give -DCHART_JS=FILE")
endif()

set(page ${CMAKE_CURRENT_SOURCE_DIR}/src/report/page)
set(page_scripts picture.js background.js network.js curves.js examples.js matrix.js drawing.js tables.js page.js)
list(TRANSFORM page_scripts PREPEND ${page}/)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CHART_JS} ${page}/page.html ${page}/page.css
             ${page_scripts})

file(READ ${page}/page.css PAGE_STYLE)
file(READ ${CHART_JS} PAGE_CHART_JS)
set(PAGE_SCRIPT "")
foreach(script ${page_scripts})
  file(READ ${script} text)
  string(APPEND PAGE_SCRIPT "${text}\n")
endforeach()
file(READ ${page}/page.html text)
string(CONFIGURE "${text}" text @ONLY)
# The data's place, between two literals that C++ reads as they stand.
string(REPLACE "%PAGE_DATA%" ")page\";\n}\nstd::string_view mnist_dist::report::page_after_data() {\n  return R\"page("
       text "${text}")
file(CONFIGURE OUTPUT report_page_text.cpp @ONLY CONTENT [[
#include "page_template.hpp"

std::string_view mnist_dist::report::page_before_data() {
  return R"page(@text@)page";
}
]])
target_sources(mnist_dist_report PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/report_page_text.cpp)
target_include_directories(mnist_dist_report PRIVATE src/report)
