// One process writes a run folder; here two objects of one process stand for two processes.
#include "mnist_dist/run/run_folder.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "message_of.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;
using run::RunFolder;

namespace {

/// The working folder, for as long as this lives.
class WorkingFolder {
 public:
  explicit WorkingFolder(const std::filesystem::path& path) : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(path);
  }
  WorkingFolder(const WorkingFolder&) = delete;
  WorkingFolder& operator=(const WorkingFolder&) = delete;
  ~WorkingFolder() {
    std::error_code ignored;
    std::filesystem::current_path(before_, ignored);
  }

 private:
  std::filesystem::path before_;
};

}  // namespace

TEST_CASE("a run folder has one writer at a time, and any number of readers") {
  const TemporaryFolder temporary;
  const std::filesystem::path path = temporary.path() / "run";
  std::optional<RunFolder> writer = RunFolder::create(path, {});
  std::array<char, 256> host{};
  REQUIRE(gethostname(host.data(), host.size()) == 0);
  const std::string expected =
      fmt::format("{} is being written by process {} on {}: wait for its end, or choose another folder", path.string(),
                  getpid(), host.data());
  const auto refusals = [&] {
    CHECK(message_of(ExitCode::file_system, [&] { (void)RunFolder::open_for_writing(path); }) == expected);
    CHECK(message_of(ExitCode::file_system, [&] { (void)RunFolder::create(path, {}); }) == expected);
  };
  refusals();
  // Neither a reader of the lock's file nor a copy that ends loses the lock.
  CHECK(read_text_file(path / ".lock") == fmt::format("process {} on {}", getpid(), host.data()));
  CHECK(RunFolder::open(path).path() == path);
  { const RunFolder copy = *writer; }
  refusals();
  writer.reset();
  // What the last writer left says nothing.
  write_file_atomically(path / ".lock", std::string_view("process 1 on a host with a longer name than this one's"));
  writer = RunFolder::open_for_writing(path / "");
  CHECK(writer->path() == path);
  refusals();
  writer.reset();
  CHECK(message_of(ExitCode::usage, [&] { (void)RunFolder::create(path, {}); }).find("already holds a run") !=
        std::string::npos);
}

TEST_CASE("a folder that is no run's gets no lock, and one with checkpoints no new run") {
  const TemporaryFolder temporary;
  CHECK(message_of(ExitCode::file_system, [&] {
          (void)RunFolder::open_for_writing(temporary.path());
        }).find("it has no config.toml") != std::string::npos);
  CHECK(std::filesystem::is_empty(temporary.path()));
  std::filesystem::create_directory(temporary.path() / "checkpoints");
  CHECK(message_of(ExitCode::usage, [&] {
          (void)RunFolder::create(temporary.path(), {});
        }).find("already holds a run") != std::string::npos);
}

TEST_CASE("a run that is opened by a link stays where it is") {
  const TemporaryFolder temporary;
  (void)RunFolder::create(temporary.path() / "one", {});
  const std::filesystem::path latest = temporary.path() / "latest";
  std::filesystem::create_directory_symlink("one", latest);
  for (const std::filesystem::path& path : {latest, latest / ""}) {
    const RunFolder folder = RunFolder::open_for_writing(path);
    CHECK(folder.path() == temporary.path() / "one");
  }
}

TEST_CASE("runs without a name that begin at the same time get folders of their own") {
  const TemporaryFolder temporary;
  const WorkingFolder here(temporary.path());
  std::mutex mutex;
  std::set<std::filesystem::path> paths;
  std::vector<std::string> errors;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int run = 0; run < 5; ++run) {
        try {
          const RunFolder folder = RunFolder::create({}, {});
          folder.become_latest();
          const std::scoped_lock lock(mutex);
          paths.insert(folder.path());
        } catch (const Error& error) {
          const std::scoped_lock lock(mutex);
          errors.emplace_back(error.what());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(errors == std::vector<std::string>());
  CHECK(paths.size() == 40);
  CHECK(std::filesystem::exists("runs/latest/config.toml"));
}

TEST_CASE("runs/latest leads to the run trained last, wherever it lies") {
  const TemporaryFolder temporary;
  const TemporaryFolder elsewhere;
  const WorkingFolder here(temporary.path());
  CHECK(message_of(ExitCode::file_system, [] { (void)run::newest_run(); }).find("runs/latest leads to no run") == 0);
  const auto train = [](const std::filesystem::path& path) {
    RunFolder::create(path, {}).become_latest();
    return std::filesystem::read_symlink("runs/latest");
  };
  CHECK(train("runs/inside") == "inside");
  CHECK(run::newest_run() == "runs/inside");
  CHECK(train("beside/") == "../beside");
  CHECK(run::newest_run() == "beside");
  const std::filesystem::path far = std::filesystem::canonical(elsewhere.path()) / "far";
  CHECK(train(far) == far);
  CHECK(run::newest_run() == far);
  RunFolder::open_for_writing("runs/inside").become_latest();
  CHECK(run::newest_run() == "runs/inside");
  std::vector<std::string> names;  // nothing else was left here
  for (const auto& entry : std::filesystem::directory_iterator(".")) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  CHECK(names == std::vector<std::string>{"beside", "runs"});
}

TEST_CASE("runs/latest is found where runs is a link, and what else has the name stays") {
  const TemporaryFolder temporary;
  const TemporaryFolder disk;
  const WorkingFolder here(temporary.path());
  std::filesystem::create_directory_symlink(disk.path(), "runs");
  RunFolder::create("beside", {}).become_latest();
  CHECK(run::newest_run() == "beside");
  std::filesystem::remove("runs/latest");
  write_file_atomically("runs/latest", std::string_view("mine"));
  RunFolder::open_for_writing("beside").become_latest();
  CHECK(read_text_file("runs/latest") == "mine");
}
