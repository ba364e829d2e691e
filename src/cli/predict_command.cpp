#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/data/image_reader.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/nn/softmax_cross_entropy.hpp"
#include "mnist_dist/run/model.hpp"

namespace mnist_dist::cli {
namespace {

struct PredictOptions {
  std::string model;
  std::vector<std::string> images;
  bool json = false;
};

/// The probability of every class.
std::vector<float> predict(const run::Model& model, const nn::Network& network, std::span<const float> parameters,
                           nn::Workspace& workspace, const std::string& image) {
  const std::vector<std::uint8_t> pixels = data::read_image_as(image, model.image_shape);
  const std::uint8_t* const row = pixels.data();
  const std::size_t rows = 1;
  network.load(std::span(&row, 1), std::span(&rows, 1), workspace);
  network.predict(parameters, workspace);
  const MatrixView<float> logits = workspace.logits();
  nn::softmax(logits);
  return {logits.row(0).begin(), logits.row(0).end()};
}

void print_json(const std::string& image, const run::Model& model, std::size_t best,
                const std::vector<float>& probabilities) {
  nlohmann::ordered_json all;
  for (std::size_t i = 0; i < probabilities.size(); ++i) all[model.classes[i]] = probabilities[i];
  const nlohmann::ordered_json line = {
      {"image", image}, {"label", model.classes[best]}, {"probability", probabilities[best]}, {"probabilities", all}};
  print_output(line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

/// The model may be left away; an image then stands in its place.
bool names_model(const std::filesystem::path& path) {
  std::error_code ignored;
  return path.extension() == ".h5" || std::filesystem::exists(path / "config.toml", ignored) ||
         std::filesystem::exists(path / "model.h5", ignored);
}

/// Puts in order what the command line had: the model or nothing, then images.
void sort_out(PredictOptions& options) {
  if (!options.model.empty()) options.images.insert(options.images.begin(), std::exchange(options.model, {}));
  if (!options.images.empty() && names_model(options.images.front())) {
    options.model = options.images.front();
    options.images.erase(options.images.begin());
  }
  if (options.images.empty()) throw Error(ExitCode::usage, "IMAGE is missing; see `mnist-dist predict --help`");
}

int run_predict(PredictOptions options) {
  sort_out(options);
  const run::Model model = run::load_model(run::model_file(options.model));
  const nn::Network network(model.architecture, nn::standardizing(model.mean, model.standard_deviation));
  const std::vector<float> parameters = nn::with_padding(model.architecture, model.parameters);
  nn::Workspace workspace(model.architecture, 1);
  for (const std::string& image : options.images) {
    const std::vector<float> probabilities = predict(model, network, parameters, workspace, image);
    const auto best = static_cast<std::size_t>(std::ranges::max_element(probabilities) - probabilities.begin());
    if (options.json) {
      print_json(image, model, best, probabilities);
    } else {
      print_output(fmt::format("{}  {}  {:.4f}\n", printable(image), model.classes[best], probabilities[best]));
    }
  }
  return 0;
}

}  // namespace

RunCommand add_predict_command(CLI::App& command) {
  const auto options = std::make_shared<PredictOptions>();
  command.add_option("MODEL", options->model,
                     "model.h5, or the folder of its run (default: the run trained last, by runs/latest)");
  command.add_option("IMAGE", options->images, "PNG files of any size");
  command.add_flag("--json", options->json, "a JSON object per image, with the probabilities of all classes");
  return [options] { return run_predict(*options); };
}

}  // namespace mnist_dist::cli
