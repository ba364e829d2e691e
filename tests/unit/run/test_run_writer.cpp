// What a run leaves on the disk, written while it goes on.
#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "../../../src/run/run_writer.hpp"
#include "message_of.hpp"
#include "mnist_dist/core/atomic_file.hpp"
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

TEST_CASE("what could not be written is said by the next call, and by no other") {
  const TemporaryFolder temporary;
  const RunFolder folder = RunFolder::create(temporary.path() / "run", {});
  std::filesystem::remove_all(folder.path());
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
