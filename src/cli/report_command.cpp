#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "commands.hpp"
#include "job.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/dataset_guard.hpp"
#include "mnist_dist/data/image_rows.hpp"
#include "mnist_dist/report/report_page.hpp"
#include "mnist_dist/report/run_record.hpp"
#include "mnist_dist/run/run_folder.hpp"

namespace mnist_dist::cli {
namespace {

struct ReportOptions {
  std::vector<std::string> runs;
  std::string data;
  std::string output;
};

struct TestImages {
  data::ImageRows images;
  std::vector<std::string> names;
};

TestImages read_test_images(const report::RunRecord& run, const std::string& other_data) {
  const std::filesystem::path model_path = run.folder / "model.h5";
  const std::string path = other_data.empty() ? data_of_run(model_path) : other_data;
  data::check_dataset_file(path);
  const data::DatasetFile file(path);
  check_fit(run.model, file, model_path.string());
  if (other_data.empty()) warn_of_other_data(run.model, file, model_path);
  const std::vector<std::uint64_t> rows = test_rows(file);
  return {data::ImageRows(file, data::Split::testing, rows, file.labels(data::Split::testing)),
          file.names(data::Split::testing)};
}

int run_report(ReportOptions options) {
  if (options.runs.empty()) options.runs.push_back(run::newest_run().string());
  std::vector<report::RunRecord> runs;
  std::vector<TestImages> of_first;
  for (const std::string& folder : options.runs) {
    runs.push_back(report::read_run(folder));
    report::RunRecord& run = runs.back();
    TestImages test = read_test_images(run, options.data);
    run.predictions = report::predict_images(run.model, test.images);
    if (of_first.empty()) of_first.push_back(std::move(test));
  }
  const std::filesystem::path path =
      options.output.empty() ? runs.front().folder / "report.html" : std::filesystem::path(options.output);
  write_file_atomically(path, report::report_page(runs, of_first.front().images, of_first.front().names));
  print_output(fmt::format("report   {}\n", printable(path.string())));
  return 0;
}

}  // namespace

RunCommand add_report_command(CLI::App& command) {
  const auto options = std::make_shared<ReportOptions>();
  command.add_option(
      "RUN", options->runs,
      "folders of runs; the first is shown in full, the others beside it (default: the run trained last, "
      "by runs/latest)");
  command.add_option("-d,--data", options->data, "the data set with the test images (default: the one of each run)");
  command.add_option("-o,--output", options->output, "the file to write (default: report.html in the first run)");
  return [options] { return run_report(*options); };
}

}  // namespace mnist_dist::cli
