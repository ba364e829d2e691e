#include <fmt/format.h>

#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "commands.hpp"
#include "mnist_dist/core/allowed_values.hpp"
#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/data/augment/augmentation_sheet.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/dataset_guard.hpp"
#include "mnist_dist/data/image_rows.hpp"
#include "mnist_dist/image/png.hpp"
#include "mnist_dist/train/recipe_scaling.hpp"
#include "mnist_dist/train/training_data.hpp"
#include "settings_flags.hpp"

namespace mnist_dist::cli {
namespace {

struct PreviewOptions {
  SettingsFlags settings;
  std::string output = "augmentation.png";
  std::size_t rows = 10;
  std::uint32_t versions = 10;
  std::size_t enlargement = 3;
};

int run_preview(const PreviewOptions& options) {
  const ResolvedSettings resolved = resolve_settings(options.settings);
  data::check_dataset_file(resolved.settings.data);
  const data::DatasetFile file(resolved.settings.data);
  const train::Settings settings = train::scaled_to_data(resolved.settings, resolved.of_recipe, train::size_of(file));
  const data::AugmentationSettings augmentation = train::augmentation_of(settings);
  if (!augmentation.active()) {
    throw Error(ExitCode::usage,
                "nothing to show: give --recipe, --rotation, --scaling, --shear, --shift or --elastic");
  }
  if (file.rows(data::Split::training) < options.rows) {
    throw Error(ExitCode::usage, fmt::format("--rows is {}, but {} has only {}", options.rows, printable(settings.data),
                                             counted(file.rows(data::Split::training), "training image")));
  }
  std::vector<std::uint64_t> row_ids(options.rows);
  std::iota(row_ids.begin(), row_ids.end(), 0);
  const data::ImageRows rows(file, data::Split::training, row_ids, file.labels(data::Split::training));
  const image::Image sheet = data::augmentation_sheet(rows, file.image_shape(), augmentation, settings.seed,
                                                      options.versions, options.enlargement);
  image::write_png_atomically(options.output, sheet);
  print_output(fmt::format("{}: {}, each as it is and in {}\n", printable(options.output),
                           counted(options.rows, "image"), counted(options.versions, "epoch")));
  return static_cast<int>(ExitCode::done);
}

}  // namespace

RunCommand add_preview_command(CLI::App& command) {
  const auto options = std::make_shared<PreviewOptions>();
  add_settings_flags(command, options->settings, {"init-from"});
  command.add_option("-o,--output", options->output, "the PNG file to write")->group("Sheet")->capture_default_str();
  command.add_option("--rows", options->rows, "training images to show [1 to 1000]")
      ->check(whole_number(1, 1000))
      ->group("Sheet")
      ->capture_default_str();
  command.add_option("--versions", options->versions, "epochs to show of each [1 to 1000]")
      ->check(whole_number(1, 1000))
      ->group("Sheet")
      ->capture_default_str();
  command.add_option("--enlarge", options->enlargement, "the side of a pixel on the sheet [1 to 32]")
      ->check(whole_number(1, 32))
      ->group("Sheet")
      ->capture_default_str();
  return [options] { return run_preview(*options); };
}

}  // namespace mnist_dist::cli
