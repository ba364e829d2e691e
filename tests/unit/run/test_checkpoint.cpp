#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <filesystem>

#include "message_of.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/core/sealed_bytes.hpp"
#include "mnist_dist/run/checkpoint.hpp"
#include "mnist_dist/run/checkpoint_store.hpp"
#include "printed_by.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;
using run::Checkpoint;
using run::CheckpointStore;

namespace {

Checkpoint example() {
  return {.settings = "epochs = 3\n",
          .dataset_sha256 = "abc",
          .build = "build",
          .arithmetic = "core",
          .state = {.epochs_done = 2,
                    .steps_done = 17,
                    .steps_done_in_epoch = 3,
                    .seconds_in_epoch = 0.25,
                    .shard_losses = {0.1, 0.2, 1e-17},
                    .parameters = {1.0F, -0.0F, 1e-45F},
                    .first_moment = {4, 5, 6},
                    .second_moment = {7, 8, 9},
                    .average = {1, 2, 3}},
          .best_parameters = {1.5F, 2.5F, 3.5F},
          .history = {{1, 0.5, 0.25, 0.125, 1.0, 10, 7}, {2, 0.75, 0.2, 0.5, 1.1, 10, 14}}};
}

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("a checkpoint comes back to the last bit, from bytes that depend on it alone") {
  const Checkpoint before = example();
  const std::vector<std::byte> bytes = run::encode_checkpoint(before);
  CHECK(run::encode_checkpoint(before) == bytes);
  const Checkpoint after = run::decode_checkpoint(bytes, "x");
  CHECK(after.settings == before.settings);
  CHECK(after.dataset_sha256 == before.dataset_sha256);
  CHECK(after.build == before.build);
  CHECK(after.arithmetic == before.arithmetic);
  CHECK(after.state.epochs_done == 2);
  CHECK(after.state.steps_done == 17);
  CHECK(after.state.steps_done_in_epoch == 3);
  CHECK(after.state.seconds_in_epoch == 0.25);
  CHECK(after.state.shard_losses == before.state.shard_losses);
  CHECK(std::memcmp(after.state.parameters.data(), before.state.parameters.data(), 3 * sizeof(float)) == 0);
  CHECK(after.state.first_moment == before.state.first_moment);
  CHECK(after.state.second_moment == before.state.second_moment);
  CHECK(after.state.average == before.state.average);
  CHECK(after.best_parameters == before.best_parameters);
  REQUIRE(after.history.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(after.history[i].epoch == before.history[i].epoch);
    CHECK(after.history[i].score == before.history[i].score);
    CHECK(after.history[i].loss == before.history[i].loss);
    CHECK(after.history[i].accuracy == before.history[i].accuracy);
    CHECK(after.history[i].seconds == before.history[i].seconds);
    CHECK(after.history[i].rows == before.history[i].rows);
    CHECK(after.history[i].steps == before.history[i].steps);
  }
  CHECK(run::encode_checkpoint(after) == bytes);
}

TEST_CASE("a checkpoint of a run's first epoch has no history and no best parameters") {
  Checkpoint before = example();
  before.state.epochs_done = 0;
  before.history.clear();
  before.best_parameters.clear();
  const Checkpoint after = run::decode_checkpoint(run::encode_checkpoint(before), "x");
  CHECK(after.history.empty());
  CHECK(after.best_parameters.empty());
}

TEST_CASE("bytes that are no checkpoint are refused") {
  CHECK_THROWS_AS((void)run::decode_checkpoint(bytes_of("nothing of the sort"), "x"), Error);
}

TEST_CASE("the newest whole checkpoint is loaded, and three are kept") {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path() / "checkpoints");
  CHECK_FALSE(store.load_newest());
  for (int step = 1; step <= 5; ++step) store.save(bytes_of("state " + std::to_string(step)), 1, step);
  CHECK(*store.load_newest() == bytes_of("state 5"));
  // Three checkpoints and the manifest.
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path() / "checkpoints"), {}) == 4);

  const std::filesystem::path newest = folder.path() / "checkpoints" / "step-000000005.h5";
  std::string expected;
  SUBCASE("a changed byte") {
    expected = "its SHA-256 is not that of the manifest";
    write_file_atomically(newest, std::string_view("state 6"));
  }
  SUBCASE("a file cut short") {
    expected = "it has 3 bytes instead of 7";
    std::filesystem::resize_file(newest, 3);
  }
  SUBCASE("a missing file") {
    expected = "No such file or directory";
    std::filesystem::remove(newest);
  }
  const std::string warning = printed_by([&] { CHECK(*store.load_newest() == bytes_of("state 4")); });
  CHECK(warning.find(expected) != std::string::npos);
  std::filesystem::remove(folder.path() / "checkpoints" / "step-000000004.h5");
  std::filesystem::remove(folder.path() / "checkpoints" / "step-000000003.h5");
  CHECK_THROWS_AS((void)store.load_newest(), Error);
}

TEST_CASE("a checkpoint that the manifest does not name does not count") {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path());
  store.save(bytes_of("one"), 1, 1);
  write_file_atomically(folder.path() / "step-000000002.h5", std::string_view("two"));
  CHECK(*store.load_newest() == bytes_of("one"));
}

TEST_CASE("checkpoints are not put where the run's folder was") {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path() / "run" / "checkpoints");
  CHECK(message_of(ExitCode::file_system, [&] { store.save(bytes_of("one"), 1, 1); }).find("cannot make") == 0);
  CHECK_FALSE(std::filesystem::exists(folder.path() / "run"));
}

TEST_CASE("going back to an older step drops what came after it") {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path());
  for (const int step : {1, 2, 3}) store.save(bytes_of("first " + std::to_string(step)), 1, step);
  store.save(bytes_of("second 2"), 1, 2);
  CHECK(*store.load_newest() == bytes_of("second 2"));
  // Not even when the new one is spoiled does the way on go over what is no more.
  std::filesystem::remove(folder.path() / "step-000000002.h5");
  CHECK(*store.load_newest() == bytes_of("first 1"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "step-000000003.h5"));
}

TEST_CASE("without a manifest, or with a damaged one, checkpoints are told by their own hash") {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path());
  const auto bytes_at = [](std::int64_t step) {
    Checkpoint checkpoint = example();
    checkpoint.state.steps_done = step;
    return run::encode_checkpoint(checkpoint);
  };
  const auto file_at = [&](int step) { return folder.path() / ("step-00000000" + std::to_string(step) + ".h5"); };
  for (const int step : {7, 8, 9}) store.save(bytes_at(step), 2, step);
  const std::filesystem::path manifest = folder.path() / "manifest.json";
  const std::string whole = read_text_file(manifest);
  std::string expected;
  SUBCASE("missing") {
    std::filesystem::remove(manifest);
    expected = "manifest.json is missing";
  }
  SUBCASE("cut short") {
    write_file_atomically(manifest, std::string_view(whole).substr(0, whole.size() / 2));
    expected = "manifest.json is damaged";
  }
  const auto load = [&] { return store.load_newest(); };
  CHECK(printed_by([&] { CHECK(*load() == bytes_at(9)); }).find(expected) != std::string::npos);

  // A later one that is not whole, and one that another version wrote, are named and passed over.
  std::vector<std::byte> spoiled = bytes_at(9);
  spoiled[spoiled.size() / 2] ^= std::byte{1};
  write_file_atomically(file_at(9), spoiled);
  std::vector<std::byte> sealed = bytes_of("no HDF5");
  seal(sealed);
  write_file_atomically(file_at(6), sealed);
  const std::string warning = printed_by([&] { CHECK(*load() == bytes_at(8)); });
  CHECK(warning.find("step-000000009.h5 is not whole by its own hash") != std::string::npos);
  CHECK(warning.find("step-000000006.h5: not an HDF5 file") != std::string::npos);

  // The next one to be saved makes the manifest whole again, with those that were found.
  store.save(bytes_at(9), 2, 9);
  CHECK(read_text_file(manifest) == whole);
  CHECK(printed_by([&] { CHECK(*load() == bytes_at(9)); }).empty());
}

TEST_CASE("a damaged manifest, or one that leads elsewhere, is an error where nothing beside it is whole") {
  const TemporaryFolder folder;
  CheckpointStore store(folder.path());
  store.save(bytes_of("one"), 1, 1);
  const std::filesystem::path manifest = folder.path() / "manifest.json";
  std::string text = read_text_file(manifest);
  SUBCASE("cut short") {
    text.resize(text.size() / 2);
  }
  SUBCASE("empty") {
    text.clear();
  }
  SUBCASE("a file outside") {
    text.replace(text.find("step-"), 0, "../");
  }
  write_file_atomically(manifest, text);
  try {
    (void)store.load_newest();
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.exit_code() == ExitCode::bad_data);
    CHECK(std::string(error.what()).find("manifest.json is damaged") != std::string::npos);
  }
}
