#include "initial_model.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <vector>

#include "job.hpp"
#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/comm/comparison.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/core/sha256.hpp"
#include "mnist_dist/run/fine_tuning.hpp"

namespace mnist_dist::cli {

std::string initial_model_file(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path file = std::filesystem::weakly_canonical(run::model_file(path), failed);
  return failed ? path : file.string();
}

std::optional<run::Model> open_initial_model(const comm::Communicator& world, const std::set<std::string>& given,
                                             const data::DatasetFile& file, train::Settings& settings) {
  std::optional<run::Model> model;
  std::string sha256 = "that of no file";
  comm::run_and_agree(world, [&] {
    if (settings.init_from.empty()) return;
    const std::filesystem::path path = run::model_file(settings.init_from);
    const std::vector<std::byte> bytes = read_file(path);
    model = run::decode_model(bytes, path);
    sha256 = sha256_hex(bytes);
  });
  comm::check_alike(world, {{"the SHA-256 of the model that --init-from names", sha256}}, ExitCode::bad_data);
  comm::run_and_agree(world, [&] {
    if (!model) return;
    const std::string name = printable(run::model_file(settings.init_from).string());
    check_image_shape(*model, file, name);
    if (model->architecture.hidden.empty() && model->classes != file.classes()) {
      throw Error(
          ExitCode::bad_data,
          fmt::format("{} has no hidden layers and other classes than {}, so nothing of it could be kept: leave "
                      "--init-from away",
                      name, printable(file.path().string())));
    }
    run::take_network(*model, name, given, settings);
    settings.init_from = initial_model_file(settings.init_from);
    train::check_settings(settings);
  });
  return model;
}

std::string start_line(const run::Model& model, const data::DatasetFile& file, const train::Settings& settings) {
  return fmt::format(
      "start    {}, {}", printable(settings.init_from),
      model.classes == file.classes() ? "all its layers" : "all its layers but the last, since the classes differ");
}

}  // namespace mnist_dist::cli
