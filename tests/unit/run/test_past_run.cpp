#include "mnist_dist/run/past_run.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "float_comparison.hpp"
#include "message_of.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/nn/architecture.hpp"
#include "mnist_dist/run/metrics_files.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;
using run::RunFolder;
using run::RunState;

namespace {

std::vector<train::EpochMetrics> history_of(int epochs) {
  std::vector<train::EpochMetrics> history;
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    history.push_back({.epoch = epoch,
                       .score = 0.9 + 0.01 * epoch,
                       .loss = 1.0 / epoch,
                       .accuracy = 0.9,
                       .seconds = 0.5,
                       .rows = 100,
                       .steps = 10 * epoch});
  }
  return history;
}

/// A run of 4 epochs of which so many are done.
void make_run(const std::filesystem::path& path, int epochs_done) {
  train::Settings settings;
  settings.epochs = 4;
  const RunFolder folder = RunFolder::create(path, settings);
  write_file_atomically(folder.metrics_jsonl(), run::metrics_jsonl(history_of(epochs_done)));
  write_file_atomically(folder.metrics_csv(), run::metrics_csv(history_of(epochs_done)));
  write_file_atomically(folder.model(), std::string_view("parameters"));
  std::filesystem::create_directory(folder.checkpoints());
  write_file_atomically(folder.checkpoints() / "manifest.json", std::string_view("{}"));
}

run::Model model_trained_on(const std::string& dataset_sha256) {
  run::Model model;
  model.architecture = {.inputs = 4, .hidden = {2}, .outputs = 2};
  model.parameters.resize(nn::parameter_count(model.architecture));
  model.image_shape = {2, 2, 1};
  model.mean.resize(4);
  model.standard_deviation.resize(4);
  model.classes = {"a", "b"};
  model.dataset_sha256 = dataset_sha256;
  return model;
}

/// Folders in folders, of which the innermost have a path too long for the system to open, whoever asks.
void make_too_deep(const std::filesystem::path& top) {
  const std::string name(200, 'x');
  int above = open(top.c_str(), O_RDONLY | O_DIRECTORY);
  for (std::size_t length = 0; length <= PATH_MAX; length += name.size()) {
    REQUIRE(mkdirat(above, name.c_str(), 0777) == 0);
    const int below = openat(above, name.c_str(), O_RDONLY | O_DIRECTORY);
    close(above);
    above = below;
  }
  close(above);
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

}  // namespace

TEST_CASE("metrics.jsonl is read as it was written") {
  std::vector<train::EpochMetrics> history = history_of(3);
  history[1].score = std::numeric_limits<double>::quiet_NaN();
  history[2].loss = 1.0 / 3;
  const std::vector<train::EpochMetrics> read = run::history_from_jsonl(run::metrics_jsonl(history), "metrics.jsonl");
  CHECK(run::metrics_jsonl(read) == run::metrics_jsonl(history));
  CHECK(std::isnan(read[1].score));
  CHECK(run::history_from_jsonl("", "metrics.jsonl").empty());
}

TEST_CASE("damaged metrics are refused with their line") {
  const std::string whole = run::metrics_jsonl(history_of(3));
  const std::size_t second = whole.find('\n') + 1;
  for (const std::string& damaged : {whole.substr(0, second) + "nonsense\n", whole.substr(0, second) + whole,
                                     whole.substr(0, second + 20), whole.substr(0, second) + "{\"epoch\": 2}\n",
                                     whole.substr(0, second) + "[]\n", whole.substr(0, second) + "\n"}) {
    CAPTURE(damaged);
    CHECK(message_of(ExitCode::bad_data, [&] { (void)run::history_from_jsonl(damaged, "metrics.jsonl"); }) ==
          "metrics.jsonl is damaged: line 2 is not that of epoch 2");
  }
}

TEST_CASE("a run on the disk tells what it reached and in which state it is") {
  const TemporaryFolder temporary;
  const std::filesystem::path path = temporary.path() / "run";
  make_run(path, 0);
  CHECK(run::read_past_run(path).best() == nullptr);
  CHECK(run::read_past_run(path).state == RunState::resumable);
  std::filesystem::remove_all(path);
  make_run(path, 3);
  CHECK(run::read_past_run(path).state == RunState::resumable);
  {
    const RunFolder writer = RunFolder::open_for_writing(path);
    CHECK(run::read_past_run(path).state == RunState::running);
  }
  CHECK(run::read_past_run(path).state == RunState::resumable);
  std::filesystem::remove_all(path);
  make_run(path, 4);
  const run::PastRun finished = run::read_past_run(path);
  CHECK(finished.state == RunState::finished);
  CHECK(finished.best()->epoch == 4);
  CHECK(is_close(train::total_seconds(finished.history), 2.0, 1e-12));
  CHECK_FALSE(finished.test_accuracy);
}

TEST_CASE("the test accuracy is that of the model, not of one before") {
  const TemporaryFolder temporary;
  const std::filesystem::path path = temporary.path() / "run";
  make_run(path, 4);
  run::save_model(model_trained_on("ab12"), path / "model.h5");
  const auto later = std::filesystem::last_write_time(path / "model.h5") + std::chrono::seconds(1);
  const auto accuracy_by = [&](std::string_view report) {
    write_file_atomically(path / "report.json", report);
    std::filesystem::last_write_time(path / "report.json", later);
    return run::read_past_run(path).test_accuracy;
  };
  const std::string good = R"({"dataset_sha256": "ab12", "split": "test", "exact accuracy": {"accuracy": 0.75}})";
  CHECK(accuracy_by(good) == 0.75);
  for (const std::string_view other : {
           R"({"dataset_sha256": "ab13", "split": "test", "exact accuracy": {"accuracy": 0.75}})",
           R"({"dataset_sha256": "ab12", "split": "holdout", "exact accuracy": {"accuracy": 0.75}})",
           R"({"split": "test", "exact accuracy": {"accuracy": 0.75}})",
           R"({"dataset_sha256": "ab12", "exact accuracy": {"accuracy": 0.75}})",
           R"({"dataset_sha256": "ab12", "split": "test", "exact accuracy": {"accuracy": "high"}})",
           R"({"dataset_sha256": "ab12", "split": "test", "exact accuracy": 0.75})",
           R"({"dataset_sha256": "ab12", "split": "te)",
           "{}",
           "[]",
           "7",
           "",
       }) {
    CAPTURE(other);
    CHECK_FALSE(accuracy_by(other));
  }
  CHECK(accuracy_by(good) == 0.75);
  std::filesystem::last_write_time(path / "model.h5", later + std::chrono::seconds(1));
  CHECK_FALSE(run::read_past_run(path).test_accuracy);
  write_file_atomically(path / "model.h5", std::string_view("damaged"));
  CHECK_FALSE(accuracy_by(good));
  std::filesystem::remove(path / "report.json");
  std::filesystem::create_directory(path / "report.json");  // cannot be read
  std::filesystem::last_write_time(path / "report.json", later);
  CHECK_FALSE(run::read_past_run(path).test_accuracy);
}

TEST_CASE("runs are found in folders of folders, the newest last; damaged ones are said to be so") {
  const TemporaryFolder temporary;
  const auto path = [&](const char* name) { return temporary.path() / name; };
  int age = 10;
  for (const char* name : {"c", "many/b", "a"}) {
    make_run(path(name), 4);
    const auto now = std::filesystem::last_write_time(path(name) / "config.toml");
    std::filesystem::last_write_time(path(name) / "config.toml", now - std::chrono::seconds(age--));
  }
  std::filesystem::create_directories(path("no-run/checkpoint"));
  std::filesystem::create_directory_symlink("a", path("latest"));
  std::filesystem::create_directory_symlink(".", path("round"));
  std::filesystem::create_directories(path("lost/checkpoints"));
  make_run(path("wrong"), 4);
  write_file_atomically(path("wrong") / "config.toml", std::string_view("epochs = 'many'\n"));
  std::vector<std::string> found;
  for (const run::FoundRun& run : run::find_runs(temporary.path())) {
    found.push_back(run.path.lexically_relative(temporary.path()).string() + (run.run ? "" : "!"));
    CHECK(run.damage.empty() == run.run.has_value());
  }
  CHECK(found == std::vector<std::string>{"lost!", "c", "many/b", "a", "wrong!"});
  CHECK(run::find_runs(path("c")).size() == 1);
  CHECK(message_of(ExitCode::file_system, [&] { (void)run::find_runs(path("nothing")); }).find("cannot read") == 0);
}

TEST_CASE("a folder that cannot be read does not hide the runs beside it") {
  const TemporaryFolder temporary;
  make_run(temporary.path() / "run", 4);
  make_too_deep(temporary.path());
  const std::vector<run::FoundRun> found = run::find_runs(temporary.path());
  CHECK(found.size() == 1);
  CHECK(found.front().path == temporary.path() / "run");
}

TEST_CASE("what a run wrote is removed, and nothing else") {
  const TemporaryFolder temporary;
  const TemporaryFolder elsewhere;
  write_file_atomically(elsewhere.path() / "precious", std::string_view("x"));
  const std::filesystem::path path = temporary.path() / "run";
  make_run(path, 4);
  write_file_atomically(path / ".model.h5.partial", std::string_view("half"));
  CHECK(run::remove_run(RunFolder::open_for_writing(path)).empty());
  CHECK_FALSE(std::filesystem::exists(path));

  make_run(path, 4);
  write_file_atomically(path / "notes.txt", std::string_view("mine"));
  std::filesystem::remove_all(path / "checkpoints");
  std::filesystem::create_directory_symlink(elsewhere.path(), path / "checkpoints");
  std::filesystem::create_directory_symlink(elsewhere.path(), path / "elsewhere");
  CHECK(run::remove_run(RunFolder::open_for_writing(path)) == std::vector<std::string>{"elsewhere", "notes.txt"});
  CHECK(names_in(path) == std::vector<std::string>{"elsewhere", "notes.txt"});
  CHECK(names_in(elsewhere.path()) == std::vector<std::string>{"precious"});
}

TEST_CASE("a link to a removed run is mended, and goes with the last one") {
  const TemporaryFolder temporary;
  const std::filesystem::path latest = temporary.path() / "latest";
  for (const char* name : {"one", "two"}) make_run(temporary.path() / name, 4);
  const auto before = std::filesystem::last_write_time(temporary.path() / "two" / "config.toml");
  std::filesystem::last_write_time(temporary.path() / "one" / "config.toml", before - std::chrono::seconds(1));
  std::filesystem::create_directory_symlink("one", latest);
  run::mend_link(latest);  // leads to a run
  CHECK(std::filesystem::read_symlink(latest) == "one");
  std::filesystem::remove_all(temporary.path() / "one");
  run::mend_link(latest);
  CHECK(std::filesystem::read_symlink(latest) == "two");
  std::filesystem::remove_all(temporary.path() / "two");
  run::mend_link(latest);
  CHECK_FALSE(std::filesystem::is_symlink(latest));
  run::mend_link(latest);  // nothing there
  std::filesystem::create_directory(latest);
  run::mend_link(latest);  // somebody's own folder
  CHECK(std::filesystem::is_directory(latest));
}

TEST_CASE("differences name what differs, and nothing else") {
  train::Settings first;
  train::Settings second;
  CHECK(run::differences(first, second).empty());
  second.epochs = 7;
  second.hidden = {5};
  CHECK(run::differences(first, second) ==
        std::vector<run::Difference>{{"hidden", "[100, 100, 100]", "[5]"}, {"epochs", "100", "7"}});
  run::Model one;
  run::Model other;
  one.parameters = other.parameters = {1, 2};
  CHECK(run::differences(one, other).empty());
  CHECK(run::parameters_sha256(one) == run::parameters_sha256(other));
  other.parameters[1] = std::nextafter(2.0F, 3.0F);
  other.build = "another";
  CHECK(run::differences(one, other) == std::vector<run::Difference>{{"build", "", "another"}});
  CHECK(run::parameters_sha256(one) != run::parameters_sha256(other));
}
