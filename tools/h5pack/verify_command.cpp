#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <string>
#include <vector>

#include "commands.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/dataset_guard.hpp"
#include "mnist_dist/data/pack/verify.hpp"
#include "progress.hpp"

namespace mnist_dist::h5pack {
namespace {

void run_verify(const std::string& path) {
  const bool sealed = data::check_dataset_file(path);
  const data::DatasetFile file(path);
  std::vector<std::string> differences;
  {
    Progress progress("verifying");
    differences = data::verify(file, [&](std::size_t done, std::size_t total) { progress.update(done, total); });
  }
  if (!differences.empty()) {
    throw Error(ExitCode::bad_data, fmt::format("{}: the file is damaged or was changed: {}", printable(path),
                                                fmt::join(differences, "; ")));
  }
  if (!sealed) {
    throw Error(ExitCode::bad_data,
                fmt::format("{}: images, labels, classes, mean and standard deviation agree, but whether names and "
                            "attributes were changed cannot be told: h5pack's hash of all bytes is not at the file's "
                            "end; where h5pack wrote it, pack it again",
                            printable(path)));
  }
  print_output(fmt::format("{}: whole; content hash, mean and standard deviation are those of its {} rows\n",
                           printable(path), file.rows(data::Split::training) + file.rows(data::Split::testing)));
}

}  // namespace

void add_verify_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "verify", "Compute a data set's hashes and statistics again and compare them with the stated ones");
  const auto path = std::make_shared<std::string>();
  command->add_option("FILE", *path, "Data set file")->required();
  command->callback([path] { run_verify(*path); });
}

}  // namespace mnist_dist::h5pack
