#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>

#include "commands.hpp"
#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/dataset_guard.hpp"
#include "mnist_dist/h5/file.hpp"
#include "mnist_dist/run/checkpoint.hpp"
#include "mnist_dist/run/checkpoint_store.hpp"
#include "mnist_dist/run/model.hpp"
#include "mnist_dist/run/run_folder.hpp"

namespace mnist_dist::cli {
namespace {

std::string describe(const data::ImageShape& shape) {
  return fmt::format("{}x{} {}", shape.width, shape.height, shape.channels == 3 ? "RGB" : "grey");
}

/// A file's text, as it is safe to print.
std::string printable_lines(const std::string& text) {
  std::istringstream lines(text);
  std::string safe;
  for (std::string line; std::getline(lines, line);) safe += printable(line) + "\n";
  return safe;
}

void print_classes(const std::vector<std::string>& classes) {
  constexpr std::size_t kShown = 20;
  std::vector<std::string> shown(classes.begin(),
                                 classes.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, classes.size())));
  std::ranges::transform(shown, shown.begin(), printable);
  print_output(fmt::format("classes     {}: {}{}\n", classes.size(), fmt::join(shown, ", "),
                           classes.size() > kShown ? ", ..." : ""));
}

void print_model(const std::filesystem::path& path) {
  const run::Model model = run::load_model(path);
  print_output(fmt::format("{}: a model\n", printable(path.string())));
  print_output(fmt::format("network     {}, {} parameters, {}\n", model.architecture.description(),
                           model.parameters.size(), model.architecture.activation_description()));
  print_output(fmt::format("images      {}\n", describe(model.image_shape)));
  print_classes(model.classes);
  print_output(fmt::format(
      "trained     {}, {}\n", counted(model.epoch, "epoch"),
      std::isnan(model.score) ? "without a holdout" : fmt::format("score {:.5f} on the holdout", model.score)));
  print_output(fmt::format("data set    content_sha256 {}\n", model.dataset_sha256));
  print_output(fmt::format("build       {}, {}\n", model.build, model.arithmetic));
}

void print_dataset(const std::filesystem::path& path) {
  const data::DatasetFile file(path);
  print_output(fmt::format("{}: a data set\n", printable(path.string())));
  print_output(fmt::format("images      {} for training, {} for testing, {}\n", file.rows(data::Split::training),
                           file.rows(data::Split::testing), describe(file.image_shape())));
  print_classes(file.classes());
  print_output(fmt::format("content     sha256 {}\n", file.content_sha256()));
}

void print_checkpoint(const run::Checkpoint& checkpoint, const std::string& name) {
  print_output(fmt::format("{}: a checkpoint\n", name));
  print_output(fmt::format("done        {}", counted(checkpoint.state.epochs_done, "epoch")));
  if (checkpoint.state.steps_done_in_epoch > 0)
    print_output(fmt::format(" and {} of the next", counted(checkpoint.state.steps_done_in_epoch, "step")));
  print_output(fmt::format(" ({} in all)\n", counted(checkpoint.state.steps_done, "step")));
  print_output(fmt::format("parameters  {}\n", checkpoint.state.parameters.size()));
  if (const std::int64_t best = train::best_epoch(checkpoint.history); best > 0) {
    const double score = checkpoint.history[static_cast<std::size_t>(best) - 1].score;
    if (!std::isnan(score)) print_output(fmt::format("best        epoch {}, score {:.5f}\n", best, score));
  }
  print_output(fmt::format("data set    content_sha256 {}\n", checkpoint.dataset_sha256));
  print_output(fmt::format("build       {}, {}\n", checkpoint.build, checkpoint.arithmetic));
  print_output(fmt::format("settings\n{}", printable_lines(checkpoint.settings)));
}

void print_run(const std::filesystem::path& path) {
  const run::RunFolder folder = run::RunFolder::open(path);
  print_output(fmt::format("{}: a run\n", printable(path.string())));
  const auto bytes = run::CheckpointStore(folder.checkpoints()).load_newest();
  if (bytes) {
    print_checkpoint(run::decode_checkpoint(*bytes, folder.checkpoints().string()), "newest checkpoint");
  } else {
    print_output(fmt::format("no checkpoint yet\nsettings\n{}", printable_lines(read_text_file(folder.config()))));
  }
  if (std::filesystem::exists(folder.model())) {
    print_output("\n");
    print_model(folder.model());
  }
}

int run_info(std::filesystem::path path) {
  if (path.empty()) path = run::newest_run();
  if (std::filesystem::is_directory(path)) {
    print_run(path);
    return 0;
  }
  data::check_dataset_file(path);
  std::string format;
  {
    const h5::File file = h5::File::open(path);
    if (file.has_attribute("format")) format = file.string_attribute("format");
  }
  if (format == run::kModelFormat) {
    print_model(path);
  } else if (format == data::kDatasetFormat) {
    print_dataset(path);
  } else if (format == run::kCheckpointFormat) {
    print_checkpoint(run::decode_checkpoint(read_file(path), printable(path.string())), printable(path.string()));
  } else {
    throw Error(ExitCode::bad_data,
                fmt::format("{} is an HDF5 file, but neither a model nor a checkpoint nor a data set",
                            printable(path.string())));
  }
  return 0;
}

}  // namespace

RunCommand add_info_command(CLI::App& command) {
  const auto path = std::make_shared<std::string>();
  command.add_option("FILE", *path,
                     "a model, checkpoint, data set, or run folder (default: the run trained last, by runs/latest)");
  return [path] { return run_info(*path); };
}

}  // namespace mnist_dist::cli
