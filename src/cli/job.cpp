#include "job.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "mnist_dist/blas/gemm.hpp"
#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/comm/comparison.hpp"
#include "mnist_dist/core/allowed_values.hpp"
#include "mnist_dist/core/build_info.hpp"
#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/data/dataset_guard.hpp"
#include "mnist_dist/nn/arithmetic.hpp"
#include "mnist_dist/train/recipe_scaling.hpp"
#include "mnist_dist/train/training_data.hpp"
#include "recipes.hpp"

namespace mnist_dist::cli {
namespace {

/// Collective.
comm::Communicator world_by_host() {
  const comm::Communicator world = comm::Communicator::world();
  return world.numbered_by_host(world.split_by_host());
}

/// Collective.
std::int64_t count_hosts(const comm::Communicator& world, const comm::Communicator& host) {
  std::int64_t first_ranks = host.rank() == 0 ? 1 : 0;
  world.sum(std::span(&first_ranks, 1));
  return first_ranks;
}

std::string describe_holdout(const train::Settings& settings, const data::DatasetFile& file) {
  const std::size_t named = file.holdout_rows().size();
  return named > 0 ? fmt::format("{} that the data set names", named) : fmt::format("{:.4g} %", 100 * settings.holdout);
}

bool is_missing(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::status(path, ignored).type() == std::filesystem::file_type::not_found;
}

}  // namespace

Ranks::Ranks()
    : world(world_by_host()),
      host(world.split_by_host()),
      hosts(count_hosts(world, host)),
      by_host(gather_hosts(world, host)) {}

void check_same_command(const std::string& command) {
  comm::check_alike(comm::Communicator::world(), {{"the program", build_identity()}, {"the command", command}},
                    ExitCode::usage);
}

void check_same_settings(const comm::Communicator& world, const train::Settings& settings) {
  std::vector<comm::Common> values;
  train::Settings compared = settings;
  compared.data.clear();
  compared.init_from.clear();
  for (const auto& [name, value] : train::setting_values(compared)) values.push_back({"--" + name, value});
  values.push_back({"the arithmetic", nn::arithmetic(train::products_of(settings))});
  comm::check_alike(world, values, ExitCode::usage);
}

void add_hang_timeout(CLI::App& command, int& seconds) {
  command
      .add_option(
          "--hang-timeout", seconds,
          "seconds after which ranks that wait for a stopped one end the job; ten times as long for one that is "
          "busy; 0: never [0 to 86400]")
      ->group("Computation")
      ->check(whole_number(0, 86400))
      ->capture_default_str();
}

void check_data_there(const std::string& path) {
  const std::string name = printable(path);
  std::error_code ignored;
  if (std::filesystem::exists(std::filesystem::path(path) / "config.toml", ignored)) {
    throw Error(
        ExitCode::file_system,
        fmt::format("{} is the folder of a run, and no data set: `train --resume` and `evaluate --model` take runs",
                    name));
  }
  if (std::filesystem::is_directory(path, ignored)) {
    throw Error(ExitCode::file_system,
                fmt::format("{} is a folder: pack its images with `h5pack pack {} mnist.h5`, and "
                            "name mnist.h5 instead",
                            name, name));
  }
  if (!is_missing(path)) return;
  throw Error(ExitCode::file_system, fmt::format("cannot read {}: No such file or directory; make it from a folder of "
                                                 "images with `h5pack pack FOLDER {}`, or name another data set",
                                                 name, name));
}

data::DatasetFile open_data(const comm::Communicator& world, const comm::Communicator& host, const std::string& path) {
  std::optional<data::DatasetFile> file;
  comm::run_and_agree(world, [&] {
    if (host.rank() != 0) return;
    check_data_there(path);
    data::check_dataset_file(path);
  });
  comm::run_and_agree(world, [&] { file.emplace(path); });
  comm::check_alike(world, {{"the content_sha256 of the data set", file->content_sha256()}}, ExitCode::bad_data);
  return std::move(*file);
}

void check_image_shape(const run::Model& model, const data::DatasetFile& file, const std::string& model_path) {
  const auto describe = [](const data::ImageShape& shape) {
    return fmt::format("{}x{}x{}", shape.width, shape.height, shape.channels);
  };
  if (model.image_shape == file.image_shape()) return;
  throw Error(ExitCode::bad_data,
              fmt::format("{} has images of {}, but {} was trained on {}: pack them with h5pack pack --size {}x{}{}",
                          printable(file.path().string()), describe(file.image_shape()), printable(model_path),
                          describe(model.image_shape), model.image_shape.width, model.image_shape.height,
                          model.image_shape.channels == 3 ? " --colour" : ""));
}

void check_fit(const run::Model& model, const data::DatasetFile& file, const std::string& model_path) {
  check_image_shape(model, file, model_path);
  const std::string data_name = printable(file.path().string());
  if (model.classes != file.classes()) {
    throw Error(ExitCode::bad_data, fmt::format("{} and {} have different classes ({} and {} of them)", data_name,
                                                printable(model_path), file.classes().size(), model.classes.size()));
  }
}

std::string data_of_run(const std::filesystem::path& model_path) {
  std::string data = run::data_of_model(model_path);
  if (is_missing(data) && !is_missing(model_path.parent_path() / "config.toml")) {
    throw Error(ExitCode::file_system,
                fmt::format("{}, the data set that {} was trained on, is not there: say where it is with --data",
                            printable(data), printable(model_path.string())));
  }
  return data;
}

void warn_of_other_data(const run::Model& model, const data::DatasetFile& file,
                        const std::filesystem::path& model_path) {
  if (model.dataset_sha256 == file.content_sha256()) return;
  log_warning(
      fmt::format("{} was packed anew after {} was trained: images that it was trained on may be among these; train "
                  "anew",
                  printable(file.path().string()), printable(model_path.string())));
}

std::vector<std::uint64_t> test_rows(const data::DatasetFile& file) {
  std::vector<std::uint64_t> rows(file.rows(data::Split::testing));
  if (rows.empty()) {
    throw Error(ExitCode::bad_data,
                fmt::format("{} has no test images: pack it with `h5pack pack --test-share 0.2`, which keeps some of "
                            "each class back, and train anew; or take `evaluate --split holdout`",
                            printable(file.path().string())));
  }
  std::iota(rows.begin(), rows.end(), std::uint64_t{0});
  return rows;
}

namespace {

/// Its name, what it became for these images, and what somebody else decided.
std::string recipe_line(const train::Settings& settings, const data::DatasetFile& file) {
  const std::string toml(recipe_of_name(settings.recipe).toml);
  const std::set<std::string> names = train::names_in_toml(toml, settings.recipe);
  const train::Settings recipe = train::settings_from_toml(toml, settings.recipe);
  const std::size_t rows = file.rows(data::Split::training);
  const data::ImageShape shape = file.image_shape();
  const train::Settings scaled = train::scaled_to_data(recipe, names, train::size_of(file));
  std::string line = settings.recipe;
  if (scaled != recipe) {
    line += fmt::format(", for {} of {}x{} with {}", counted(rows, "image"), shape.width, shape.height,
                        train::changed_settings(recipe, scaled, names));
  }
  const std::string others = train::changed_settings(scaled, settings, names);
  return others.empty() ? line : fmt::format("{}; but {}", line, others);
}

std::string step_line(const train::Settings& settings) {
  std::string line =
      fmt::format("{}, learning rate {}, {} schedule", settings.optimizer, settings.learning_rate, settings.schedule);
  if (settings.warmup_steps > 0) line += fmt::format(" after {}", counted(settings.warmup_steps, "warm-up step"));
  if (train::class_weights_of(settings) != train::ClassWeights::none) {
    line += fmt::format(", {} class weights", settings.class_weights);
  }
  return line;
}

std::string augmentation_line(const train::Settings& settings) {
  if (!train::augmentation_of(settings).active()) return "not augmented";
  const std::string changes =
      train::changed_settings({}, settings, {"rotation", "scaling", "shear", "shift", "elastic", "elastic-smoothing"});
  return fmt::format("augmented: {}", changes);
}

/// Lines of the header; "" where there is one host, since what they say stands there anyway.
std::string host_part(const Ranks& ranks) {
  std::string part;
  if (ranks.hosts < 2) return part;
  for (const std::string& line : host_lines(ranks.by_host)) part += "\nhost     " + line;
  return part;
}

}  // namespace

std::string job_header(const train::Settings& settings, const data::DatasetFile& file, const Ranks& ranks) {
  const nn::Architecture network = train::architecture_for(settings, file);
  const data::ImageShape shape = file.image_shape();
  return fmt::format(
      "{}\n"
      "network  {}, {} parameters, {}, dropout {}\n"
      "data     {}: {} of {}x{}{}, {}, holdout {}\n"
      "images   {}\n"
      "recipe   {}\n"
      "steps    {}\n"
      "ranks    {} on {}, 1 thread each; {}, batch {}, seed {}{}{}\n"
      "products by {}; kernels {}, BLAS core {}",
      build_description(), network.description(), nn::parameter_count(network), network.activation_description(),
      settings.dropout, printable(settings.data), counted(file.rows(data::Split::training), "training image"),
      shape.width, shape.height, shape.channels == 3 ? " RGB" : "", counted(file.classes().size(), "class", "classes"),
      describe_holdout(settings, file), augmentation_line(settings), recipe_line(settings, file), step_line(settings),
      ranks.world.size(), counted(ranks.hosts, "host"), counted(settings.shards, "shard"), settings.batch_size,
      settings.seed, train::reduction_of(settings) == comm::ReductionKind::mpi ? "; MPI_Allreduce" : "",
      host_part(ranks), settings.products, nn::kernel_vectors(), blas::core_name());
}

std::string slow_blas() {
  const std::string vectors = nn::kernel_vectors();
  if (blas::core_name() != "Prescott" || !vectors.starts_with("AVX")) return {};
  return fmt::format(
      "OpenBLAS {} does not know this processor and takes it for a Prescott, without AVX: it would be "
      "several times as fast with OPENBLAS_CORETYPE={}",
      blas::version(), vectors == "AVX2" ? "Haswell" : "SkylakeX");
}

void warn_of_slow_blas() {
  if (const std::string warning = slow_blas(); !warning.empty()) log_warning(warning);
}

void print_line(const std::string& line) {
  print_output(line + "\n");
  flush_output();
}

}  // namespace mnist_dist::cli
