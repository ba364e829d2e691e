#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/dataset_guard.hpp"

namespace mnist_dist::h5pack {
namespace {

std::vector<std::size_t> count_classes(const data::DatasetFile& file, data::Split split) {
  std::vector<std::size_t> counts(file.classes().size(), 0);
  for (const std::int32_t label : file.labels(split)) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

void print_info(const std::string& path) {
  data::check_dataset_file(path);
  const data::DatasetFile file(path);
  const data::ImageShape shape = file.image_shape();
  print_output(
      fmt::format("{}: {}, format version {}\n", printable(path), data::kDatasetFormat, data::kDatasetFormatVersion));
  print_output(
      fmt::format("images          {}x{} {}\n", shape.width, shape.height, shape.channels == 3 ? "colour" : "grey"));
  print_output(fmt::format("training rows   {}\n", file.rows(data::Split::training)));
  print_output(fmt::format("testing rows    {}\n", file.rows(data::Split::testing)));
  if (const std::size_t rows = file.holdout_rows().size(); rows > 0) {
    print_output(fmt::format("holdout rows    {} of the training rows\n", rows));
  }
  if (const std::optional<double> share = file.test_share()) {
    print_output(fmt::format("test share      {} of each class\n", *share));
  }
  print_output(fmt::format("classes         {}\n", file.classes().size()));
  print_output(fmt::format("content_sha256  {}\n", file.content_sha256()));
  print_output(
      fmt::format("file            {:.1f} MB\n\n", static_cast<double>(std::filesystem::file_size(path)) / 1e6));

  const std::vector<std::size_t> training = count_classes(file, data::Split::training);
  const std::vector<std::size_t> testing = count_classes(file, data::Split::testing);
  std::size_t width = 5;
  for (const std::string& name : file.classes()) width = std::max(width, name.size());
  print_output(fmt::format("{:<{}}  {:>10}  {:>10}\n", "class", width, "training", "testing"));
  for (std::size_t i = 0; i < training.size(); ++i) {
    print_output(fmt::format("{:<{}}  {:>10}  {:>10}\n", printable(file.classes()[i]), width, training[i], testing[i]));
  }
}

}  // namespace

void add_info_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("info", "Print what a data set holds");
  const auto path = std::make_shared<std::string>();
  command->add_option("FILE", *path, "Data set file")->required();
  command->callback([path] { print_info(*path); });
}

}  // namespace mnist_dist::h5pack
