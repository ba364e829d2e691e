// What users see when something is wrong: lines on stderr.
#include <doctest/doctest.h>

#include "mnist_dist/core/log.hpp"
#include "printed_by.hpp"

using namespace mnist_dist;

TEST_CASE("an error names its program, and its rank where a host is given") {
  CHECK(printed_by([] { log_error("no such file", 0); }) == "mnist-dist: error: no such file\n");
  CHECK(printed_by([] { log_error("no such file", 3, "node7"); }) ==
        "mnist-dist: error (rank 3 on node7): no such file\n");
  CHECK(printed_by([] { log_error("no such file", 0, "node7"); }) ==
        "mnist-dist: error (rank 0 on node7): no such file\n");
}

TEST_CASE("warnings come from the rank that speaks") {
  CHECK(printed_by([] { log_warning("strange"); }) == "mnist-dist: warning: strange\n");
  set_log_identity("h5pack", false);
  CHECK(printed_by([] { log_warning("strange"); }).empty());
  CHECK(printed_by([] { log_error("no such file", 0); }) == "h5pack: error: no such file\n");
  set_log_identity("mnist-dist", true);
}
