#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "message_of.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/h5/file.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;

TEST_CASE("a file that cannot be created is named") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "missing" / "file.h5";
  const std::string message = message_of(ExitCode::file_system, [&] { (void)h5::File::create(path, "OUT.h5"); });
  CHECK(message == "cannot write OUT.h5: No such file or directory");
}

namespace {

// Runs `write` in a process that may write files of at most `bytes` bytes. @return what it printed: the error that
// was thrown, and whatever else there was until its end
std::string output_with_file_size_limit(const std::filesystem::path& output, rlim_t bytes,
                                        const std::function<void()>& write) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    const int descriptor = open(output.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    dup2(descriptor, STDOUT_FILENO);
    dup2(descriptor, STDERR_FILENO);
    std::signal(SIGXFSZ, SIG_IGN);
    std::string result = "no error";
    try {
      const rlimit limit{bytes, RLIM_INFINITY};
      setrlimit(RLIMIT_FSIZE, &limit);
      write();
    } catch (const Error& error) {
      result = error.what();
    }
    const rlimit no_limit{RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &no_limit);
    dprintf(STDOUT_FILENO, "%s\n", result.c_str());
    std::exit(0);  // with HDF5's own clean-up, were there one
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  return read_text_file(output);
}

}  // namespace

TEST_CASE("a write that fails says why, and nothing more happens, not even when the process ends") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "file.h5";
  const std::filesystem::path output = folder.path() / "output";
  const std::string expected = "cannot write OUT.h5: File too large\n";
  for (const rlim_t bytes : {0, 100, 3000, 90000, 500000, 1000500}) {
    CAPTURE(bytes);
    CHECK(output_with_file_size_limit(output, bytes, [&] {
            h5::File file = h5::File::create(path, "OUT.h5");
            file.create_rows<std::uint8_t>("/rows", {.row_shape = {1000}, .rows_per_chunk = 100});
            const std::vector<std::uint8_t> rows(100000, 1);
            for (int i = 0; i < 10; ++i) file.append_rows<std::uint8_t>("/rows", rows);
            file.close();
          }) == expected);
  }
  // So little that HDF5 keeps it in memory until the file is closed.
  for (const rlim_t bytes : {0, 100, 600}) {
    CAPTURE(bytes);
    CHECK(output_with_file_size_limit(output, bytes, [&] {
            h5::File file = h5::File::create(path, "OUT.h5");
            file.write_attribute("x", 1.0);
            file.close();
          }) == expected);
  }
}
