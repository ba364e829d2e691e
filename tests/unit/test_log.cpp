// What users see when something is wrong: lines on stderr.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>

#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/log.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;

namespace {

/// What `work` prints on stderr.
std::string printed_by(const std::function<void()>& work) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "stderr";
  std::fflush(stderr);
  const int before = dup(STDERR_FILENO);
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  REQUIRE(before >= 0);
  REQUIRE(file >= 0);
  dup2(file, STDERR_FILENO);
  work();
  std::fflush(stderr);
  dup2(before, STDERR_FILENO);
  close(before);
  close(file);
  return read_text_file(path);
}

}  // namespace

TEST_CASE("an error names its program, and its rank if that is not the first") {
  CHECK(printed_by([] { log_error("no such file", 0); }) == "mnist-dist: error: no such file\n");
  CHECK(printed_by([] { log_error("no such file", 3); }) == "mnist-dist: error (rank 3): no such file\n");
}

TEST_CASE("warnings come from the rank that speaks") {
  CHECK(printed_by([] { log_warning("strange"); }) == "mnist-dist: warning: strange\n");
  set_log_identity("h5pack", false);
  CHECK(printed_by([] { log_warning("strange"); }).empty());
  CHECK(printed_by([] { log_error("no such file", 0); }) == "h5pack: error: no such file\n");
  set_log_identity("mnist-dist", true);
}
