// What a run leaves on the disk, written while it goes on.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "../../../src/run/run_writer.hpp"
#include "message_of.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/run/metrics_files.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;
using namespace mnist_dist::run;

namespace {

std::vector<train::EpochMetrics> history_of(std::int64_t epochs) {
  std::vector<train::EpochMetrics> history;
  for (std::int64_t epoch = 1; epoch <= epochs; ++epoch) history.emplace_back().epoch = epoch;
  return history;
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& file : std::filesystem::directory_iterator(folder, none)) names.push_back(file.path().filename());
  std::ranges::sort(names);
  return names;
}

}  // namespace

TEST_CASE("a record is on the disk when the writer says so") {
  const TemporaryFolder temporary;
  const RunFolder folder = RunFolder::create(temporary.path() / "run", {});
  RunWriter writer(folder);
  std::atomic<int> told = 0;
  std::string text;
  for (int epochs = 1; epochs <= 3; ++epochs) {
    writer.write({.checkpoint = {}, .history = history_of(epochs), .best_model = {}}, [&] {
      text = read_text_file(folder.metrics_csv());
      ++told;
    });
  }
  writer.finish();
  CHECK(told == 3);
  CHECK_FALSE(writer.has_failed());
  CHECK(text == metrics_csv(history_of(3)));
  CHECK_FALSE(std::filesystem::exists(folder.model()));
}

TEST_CASE("nothing is written to a folder that is not the run's any more") {
  const TemporaryFolder temporary;
  const std::filesystem::path path = temporary.path() / "run";
  const RunFolder folder = RunFolder::create(path, {});
  RunWriter writer(folder);
  writer.write({.checkpoint = {}, .history = history_of(1), .best_model = {}}, {});
  writer.finish();
  std::filesystem::rename(path, temporary.path() / "moved");
  std::vector<std::string> left;
  SUBCASE("moved") {}
  SUBCASE("removed") {
    std::filesystem::remove_all(temporary.path() / "moved");
  }
  SUBCASE("replaced by another run's") {
    (void)RunFolder::create(path, {});
    left = {".lock", "config.toml"};
  }
  SUBCASE("replaced by a copy") {
    std::filesystem::copy(temporary.path() / "moved", path);
    left = {".lock", "config.toml", "metrics.csv", "metrics.jsonl"};
  }
  writer.write({.checkpoint = Checkpoint(), .history = history_of(2), .best_model = {}}, {});
  const std::string message = message_of(ExitCode::file_system, [&] { writer.finish(); });
  CHECK(message.find(path.string() + ", or its .lock, was removed, moved or replaced") == 0);
  CHECK(names_in(path) == left);
  if (left.size() == 4) CHECK(read_text_file(folder.metrics_csv()) == metrics_csv(history_of(1)));
}

TEST_CASE("what could not be written is said by the next call, and by no other") {
  const TemporaryFolder temporary;
  const RunFolder folder = RunFolder::create(temporary.path() / "run", {});
  std::filesystem::create_directory(folder.metrics_csv());
  bool told = false;
  RunWriter writer(folder);
  writer.write({.checkpoint = {}, .history = history_of(1), .best_model = {}}, [&] { told = true; });
  CHECK(message_of(ExitCode::file_system, [&] { writer.finish(); }).find("metrics.csv") != std::string::npos);
  CHECK_FALSE(told);
  CHECK_FALSE(writer.has_failed());  // it has been said
  writer.finish();
  writer.write({.checkpoint = {}, .history = history_of(1), .best_model = {}}, {});
  while (!writer.has_failed()) std::this_thread::yield();
  CHECK(message_of(ExitCode::file_system, [&] { writer.write({}, {}); }).find("metrics.csv") != std::string::npos);
}
