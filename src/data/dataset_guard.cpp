#include "mnist_dist/data/dataset_guard.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/sealed_bytes.hpp"
#include "mnist_dist/data/dataset_file.hpp"

namespace mnist_dist::data {
namespace {

/// Runs this program's probe and waits for it. @return as waitpid() tells it
int status_of_probe(const std::filesystem::path& path) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0);
  }
  std::string program = "/proc/self/exe";
  std::string command = kProbeCommand;
  std::string file = path.string();
  const std::array<char*, 4> arguments = {program.data(), command.data(), file.data(), nullptr};
  pid_t child = -1;
  const int failed = posix_spawn(&child, program.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw file_error("cannot start a process to read the data set", failed);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw file_error("cannot wait for the process that reads the data set", errno);
  }
  return status;
}

void limit_processor_time(std::uintmax_t bytes) {
  constexpr rlim_t kSeconds = 30;
  constexpr std::uintmax_t kBytesPerSecond = 20'000'000;
  const rlimit limit = {kSeconds + bytes / kBytesPerSecond, RLIM_INFINITY};
  setrlimit(RLIMIT_CPU, &limit);
  const rlimit no_core_dump = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core_dump);
}

}  // namespace

bool check_dataset_file(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path)) return false;  // whoever opens it says what is wrong
  const std::string name = printable(path.string());
  switch (seal_of_file(path)) {
    case Seal::whole:
      return true;
    case Seal::broken:
      throw Error(ExitCode::bad_data,
                  fmt::format("{} is damaged or was changed: its bytes do not have the SHA-256 that it ends in", name));
    case Seal::none:
      break;
  }
  const int status = status_of_probe(path);
  if (!WIFSIGNALED(status)) return false;
  const int signal = WTERMSIG(status);
  throw Error(ExitCode::bad_data,
              fmt::format("{} is damaged: {}", name,
                          signal == SIGXCPU ? std::string("HDF5 comes to no end with it")
                                            : fmt::format("HDF5 does not survive it (signal {})", signal)));
}

void probe_dataset(const std::filesystem::path& path) {
  limit_processor_time(std::filesystem::file_size(path));
  constexpr std::size_t kRowsAtOnce = 1000;
  const DatasetFile file(path);
  for (const Split split : {Split::training, Split::testing}) {
    (void)file.labels(split);
    (void)file.names(split);
    std::vector<std::uint8_t> pixels;
    for (std::size_t first = 0; first < file.rows(split); first += kRowsAtOnce) {
      pixels.resize(std::min(kRowsAtOnce, file.rows(split) - first) * file.image_shape().size());
      file.read_images(split, first, pixels);
    }
  }
  (void)file.holdout_rows();
  (void)file.mean();
  (void)file.standard_deviation();
}

}  // namespace mnist_dist::data
