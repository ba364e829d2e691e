#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "commands.hpp"
#include "job.hpp"
#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/comm/comparison.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/core/sha256.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/report/classification_report.hpp"
#include "mnist_dist/report/report_json.hpp"
#include "mnist_dist/report/report_text.hpp"
#include "mnist_dist/run/model.hpp"
#include "mnist_dist/train/scoring.hpp"

namespace mnist_dist::cli {
namespace {

struct EvaluateOptions {
  std::string data;
  std::string model;
  std::string report;
  int hang_timeout = comm::kHangTimeout;
};

void check_fit(const run::Model& model, const data::DatasetFile& file, const std::string& model_path) {
  const std::string data_name = printable(file.path().string());
  const auto describe = [](const data::ImageShape& shape) {
    return fmt::format("{}x{}x{}", shape.width, shape.height, shape.channels);
  };
  if (model.image_shape != file.image_shape()) {
    throw Error(ExitCode::bad_data,
                fmt::format("{} has images of {}, but {} was trained on {}: pack them with --size {}x{}", data_name,
                            describe(file.image_shape()), printable(model_path), describe(model.image_shape),
                            model.image_shape.width, model.image_shape.height));
  }
  if (model.classes != file.classes()) {
    throw Error(ExitCode::bad_data, fmt::format("{} and {} have different classes ({} and {} of them)", data_name,
                                                printable(model_path), file.classes().size(), model.classes.size()));
  }
  if (file.rows(data::Split::testing) == 0) {
    throw Error(ExitCode::bad_data, fmt::format("{} has no test images: pack a folder that has testing/", data_name));
  }
}

/// This rank's part of the test images, as counts. The parts begin at multiples of kScoringRows.
train::ConfusionMatrix score_my_part(const run::Model& model, const data::DatasetFile& file,
                                     const comm::Communicator& world) {
  const std::size_t rows = file.rows(data::Split::testing);
  const std::size_t chunks = (rows + train::kScoringRows - 1) / train::kScoringRows;
  const auto start_of = [&](int rank) {
    const std::size_t chunk = chunks * static_cast<std::size_t>(rank) / static_cast<std::size_t>(world.size());
    return std::min(rows, chunk * train::kScoringRows);
  };
  std::vector<std::uint64_t> row_ids;
  for (std::size_t row = start_of(world.rank()); row < start_of(world.rank() + 1); ++row) row_ids.push_back(row);

  const data::ImageRows mine(file, data::Split::testing, row_ids, file.labels(data::Split::testing));
  const nn::Network network(model.architecture, nn::standardizing(model.mean, model.standard_deviation));
  nn::Workspace workspace(model.architecture, train::kScoringRows);
  data::Batch batch(train::kScoringRows, model.architecture.inputs);
  train::ConfusionMatrix outcomes(model.classes.size());
  const std::vector<float> parameters = nn::with_padding(model.architecture, model.parameters);
  train::score_rows(network, parameters, mine, 0, mine.size(), batch, workspace, outcomes);
  return outcomes;
}

int run_evaluate(const EvaluateOptions& options) {
  // 1. Start MPI.
  const comm::Environment environment(options.hang_timeout);
  check_same_command("evaluate");
  const comm::Communicator world = comm::Communicator::world();

  // 2. Every rank predicts its part.
  std::filesystem::path model_path;
  std::string data_path = options.data;
  std::optional<run::Model> model;
  std::optional<train::ConfusionMatrix> outcomes;
  std::string model_sha256;
  comm::run_and_agree(world, [&] {
    model_path = run::model_file(options.model);
    const std::vector<std::byte> bytes = read_file(model_path);
    model = run::decode_model(bytes, model_path);
    model_sha256 = sha256_hex(bytes);
    if (data_path.empty()) data_path = run::data_of_model(model_path);
  });
  comm::check_alike(
      world, {{"the SHA-256 of the model", model_sha256}, {"the arithmetic", nn::arithmetic(nn::Products::automatic)}},
      ExitCode::bad_data);
  const data::DatasetFile file = open_data(world, world.split_by_host(), data_path);
  comm::run_and_agree(world, [&] {
    check_fit(*model, file, model_path.string());
    if (world.rank() == 0) {
      print_line(fmt::format("{} on the {} test images of {}\n", printable(model_path.string()),
                             file.rows(data::Split::testing), printable(data_path)));
    }
    outcomes = score_my_part(*model, file, world);
  });
  world.sum(outcomes->counts());

  // 3. Rank 0 reports.
  comm::run_and_agree(world, [&] {
    if (world.rank() != 0) return;
    const std::filesystem::path report_path =
        options.report.empty() ? model_path.parent_path() / "report.json" : std::filesystem::path(options.report);
    const report::ClassificationReport report = report::make_classification_report(*outcomes, model->classes);
    write_file_atomically(report_path, report::report_json(report));
    print_output(fmt::format("{}\nreport   {}\n", report::report_text(report, report_path.string()),
                             printable(report_path.string())));
  });
  comm::Environment::finalize();
  return 0;
}

}  // namespace

RunCommand add_evaluate_command(CLI::App& command) {
  const auto options = std::make_shared<EvaluateOptions>();
  command.add_option("DATA,--data", options->data,
                     "the data set file with the test images (default: the one that the run's config.toml names)");
  command.add_option("-m,--model", options->model,
                     "the model, or the folder of its run (default: the run trained last, by runs/latest)");
  command.add_option("-r,--report", options->report,
                     "where to write the report (default: report.json beside the model)");
  add_hang_timeout(command, options->hang_timeout);
  return [options] { return run_evaluate(*options); };
}

}  // namespace mnist_dist::cli
