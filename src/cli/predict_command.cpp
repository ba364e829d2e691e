#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "commands.hpp"
#include "mnist_dist/core/allowed_values.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/named_values.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/data/image_reader.hpp"
#include "mnist_dist/image/image_file.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/nn/softmax_cross_entropy.hpp"
#include "mnist_dist/run/model.hpp"
#include "predict_inputs.hpp"
#include "prediction_text.hpp"

namespace mnist_dist::cli {
namespace {

constexpr NamedValues<data::Inversion, 3> kInversions = {
    {{data::Inversion::automatic, "auto"}, {data::Inversion::yes, "yes"}, {data::Inversion::no, "no"}}};

/// Images that go through the network at once.
constexpr std::size_t kBatch = 250;

struct PredictOptions {
  std::string model;
  PredictInputs inputs;
  std::size_t top = 0;  // 0: not given
  bool csv = false;
  bool json = false;
  std::string inversion = kInversions.front().name;
  bool center = false;
};

/// Classifies images in batches, and prints each batch's answers in the order of its images.
class Predictor {
 public:
  Predictor(const PredictOptions& options, const run::Model& model)
      : options_(options),
        model_(model),
        network_(model.architecture, nn::standardizing(model.mean, model.standard_deviation)),
        parameters_(nn::with_padding(model.architecture, model.parameters)),
        workspace_(model.architecture, kBatch),
        handling_{data::background_of(model.mean, model.standard_deviation, model.image_shape),
                  value_of(kInversions, options.inversion).value(), options.center} {
    if (options.csv) print_output(csv_header(top()));
  }

  void take(const std::string& image) {
    try {
      const image::Picture picture =
          image == kStandardInput ? image::read_picture_from_standard_input() : image::read_picture(image);
      rows_.push_back(data::row_of_picture(picture, model_.image_shape, handling_));
      images_.push_back(image);
    } catch (const Error& error) {
      fail(error);
    }
    if (rows_.size() == kBatch) print_batch();
  }

  void fail(const Error& error) {
    print_batch();  // so that on a terminal all lines come in the order of the images
    log_error(error.what());
    // Bad data outweighs what could not be read, whichever came first.
    if (exit_code_ != ExitCode::bad_data) exit_code_ = error.exit_code();
  }

  ExitCode finish() {
    print_batch();
    if (inverted_ > 0 && options_.inversion == kInversions.front().name) {
      const std::string more = inverted_ > 1 ? fmt::format(" and {} more", inverted_ - 1) : "";
      log_warning(
          fmt::format("{}{}: inverted, because the background is the opposite of the training images' "
                      "(--invert no: as it is)",
                      printable(first_inverted_), more));
    }
    return exit_code_;
  }

 private:
  [[nodiscard]] std::size_t top() const { return std::clamp<std::size_t>(options_.top, 1, model_.classes.size()); }

  void print_batch() {
    if (rows_.empty()) return;
    std::vector<const std::uint8_t*> pixels;
    for (const data::PictureRow& row : rows_) pixels.push_back(row.pixels.data());
    // Microbatches of one row: an image's probabilities do not depend on the images beside it.
    network_.load(pixels, std::vector<std::size_t>(rows_.size(), 1), workspace_);
    network_.predict(parameters_, workspace_);
    const MatrixView<float> logits = workspace_.logits();
    nn::softmax(logits);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i].inverted && inverted_++ == 0) first_inverted_ = images_[i];
      print({images_[i], rows_[i].inverted, logits.row(i)});
    }
    flush_output();
    rows_.clear();
    images_.clear();
  }

  void print(const PredictedImage& prediction) const {
    const std::vector<std::string>& classes = model_.classes;
    if (options_.json) {
      print_output(json_line(prediction, classes, options_.top));
    } else {
      print_output(options_.csv ? csv_line(prediction, classes, top()) : plain_line(prediction, classes, top()));
    }
  }

  const PredictOptions& options_;
  const run::Model& model_;
  nn::Network network_;
  std::vector<float> parameters_;
  nn::Workspace workspace_;
  data::PictureHandling handling_;
  std::vector<data::PictureRow> rows_;
  std::vector<std::string> images_;
  std::size_t inverted_ = 0;
  std::string first_inverted_;
  ExitCode exit_code_ = ExitCode::done;
};

void check_inputs(const PredictInputs& inputs) {
  if (inputs.names.empty() && inputs.list.empty()) {
    throw Error(ExitCode::usage,
                "nothing to classify: give an IMAGE, a folder of them, `-` for one on standard input, or --list FILE; "
                "see `mnist-dist predict --help`");
  }
  const std::ptrdiff_t readers =
      std::ranges::count(inputs.names, kStandardInput) + (inputs.list == kStandardInput ? 1 : 0);
  if (readers > 1) {
    throw Error(ExitCode::usage, "standard input can be read once only: give `-` once, or --list -");
  }
}

/// The model may be left away; an image then stands in its place.
bool names_model(const std::filesystem::path& path) {
  std::error_code ignored;
  return path.extension() == ".h5" || std::filesystem::exists(path / "config.toml", ignored) ||
         std::filesystem::exists(path / "model.h5", ignored);
}

/// Puts in order what the command line had: the model or nothing, then images.
void sort_out(PredictOptions& options) {
  if (!options.model.empty())
    options.inputs.names.insert(options.inputs.names.begin(), std::exchange(options.model, {}));
  if (!options.inputs.names.empty() && names_model(options.inputs.names.front())) {
    options.model = options.inputs.names.front();
    options.inputs.names.erase(options.inputs.names.begin());
  }
  check_inputs(options.inputs);
}

int run_predict(PredictOptions options) {
  sort_out(options);
  const run::Model model = run::load_model(run::model_file(options.model));
  Predictor predictor(options, model);
  for_each_input(options.inputs, {.image = [&](const std::string& image) { predictor.take(image); },
                                  .failure = [&](const Error& error) { predictor.fail(error); }});
  return static_cast<int>(predictor.finish());
}

}  // namespace

RunCommand add_predict_command(CLI::App& command) {
  const auto options = std::make_shared<PredictOptions>();
  command.add_option("MODEL", options->model,
                     "model.h5, or the folder of its run (default: the run trained last, by runs/latest)");
  command.add_option(
      "IMAGE", options->inputs.names,
      "PNG or JPEG files of any size; folders: all images in them, in byte order of their paths; -: one image "
      "on standard input");
  command.add_option("--list", options->inputs.list, "a file with a path on each line; -: standard input");
  command
      .add_option("--top", options->top,
                  "how many classes to print, the most probable first (default: 1) [1 to 1000000]")
      ->check(whole_number(1, 1000000));
  CLI::Option* const csv = command.add_flag("--csv", options->csv,
                                            "image,label,probability below a header; with --top also "
                                            "label_2,probability_2 and so on");
  command
      .add_flag("--json", options->json,
                "JSON lines: an object for each image, with the probabilities of all classes, or of --top")
      ->excludes(csv);
  command
      .add_option("--invert", options->inversion,
                  "exchange light and dark; auto: where an image's background is clearly the opposite of the training "
                  "images', with a warning")
      ->check(one_of(names_of(kInversions)))
      ->type_name("auto|yes|no")
      ->capture_default_str();
  command.add_flag("--center", options->center,
                   "scale and move a drawn digit to where MNIST has its digits, instead of stretching the whole image");
  return [options] { return run_predict(*options); };
}

}  // namespace mnist_dist::cli
