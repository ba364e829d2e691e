#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/core/sealed_bytes.hpp"
#include "mnist_dist/data/dataset_guard.hpp"
#include "mnist_dist/data/pack/dataset_writer.hpp"
#include "mnist_dist/run/checkpoint.hpp"
#include "mnist_dist/run/checkpoint_store.hpp"
#include "mnist_dist/run/model.hpp"
#include "printed_by.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;

namespace {

using Bytes = std::vector<std::byte>;

/// Calls visit(bytes, what was done) for each bit flipped, each shorter length and each two blocks exchanged.
void for_each_damage(const Bytes& whole, const std::function<void(const Bytes&, const char*, std::size_t)>& visit) {
  const std::size_t end = whole.size();
  Bytes bytes = whole;
  for (std::size_t bit = 0; bit < 8 * end; ++bit) {
    bytes[bit / 8] ^= std::byte(1U << bit % 8);
    visit(bytes, "bit", bit);
    bytes[bit / 8] = whole[bit / 8];
  }
  constexpr std::size_t kBlock = 512;
  for (std::size_t first = 0; first + kBlock <= end; first += kBlock) {
    for (std::size_t second = first + kBlock; second + kBlock <= end; second += kBlock) {
      const auto block = [&](std::size_t place) { return bytes.begin() + static_cast<std::ptrdiff_t>(place); };
      std::swap_ranges(block(first), block(first + kBlock), block(second));
      if (bytes != whole) visit(bytes, "block", first);
      bytes = whole;
    }
  }
  while (!bytes.empty()) {
    bytes.pop_back();
    visit(bytes, "length", bytes.size());
  }
}

/// Without waiting for the disk, as write_file_atomically() does.
void overwrite(const std::filesystem::path& path, const Bytes& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

bool is_refused(const std::function<void()>& read) {
  try {
    read();
  } catch (const Error& error) {
    return error.exit_code() == ExitCode::bad_data;
  }
  return false;
}

run::Checkpoint checkpoint(std::int64_t epoch) {
  run::Checkpoint result;
  result.state.epochs_done = epoch;
  result.state.steps_done = epoch;
  result.state.parameters = result.best_parameters = {1, 2, 3};
  for (std::int64_t number = 1; number <= epoch; ++number) result.history.emplace_back().epoch = number;
  return result;
}

}  // namespace

TEST_CASE("every damage of a model is seen before HDF5 reads it") {
  const TemporaryFolder folder;
  run::Model model;
  model.architecture.inputs = 4;
  model.architecture.hidden = {2};
  model.architecture.outputs = 2;
  model.parameters.assign(nn::parameter_count(model.architecture), 0.5F);
  model.image_shape = {2, 2, 1};
  model.mean = model.standard_deviation = {1, 2, 3, 4};
  model.classes = {"a", "b"};
  run::save_model(model, folder.path() / "model.h5");
  const Bytes whole = read_file(folder.path() / "model.h5");
  REQUIRE(run::decode_model(whole, "model.h5").classes == model.classes);
  for_each_damage(whole, [](const Bytes& bytes, const char* what, std::size_t place) {
    if (is_refused([&] { (void)run::decode_model(bytes, "model.h5"); })) return;
    FAIL_CHECK(what << " " << place << " passes");
  });
}

TEST_CASE("every damage of a checkpoint is seen by its own hash") {
  const Bytes whole = run::encode_checkpoint(checkpoint(1));
  REQUIRE(is_sealed_whole(whole));
  for_each_damage(whole, [](const Bytes& bytes, const char* what, std::size_t place) {
    if (is_sealed_whole(bytes)) FAIL_CHECK(what << " " << place << " passes");
  });
}

TEST_CASE("whatever becomes of the manifest, a whole checkpoint is found") {
  const TemporaryFolder folder;
  const run::CheckpointStore store(folder.path());
  std::vector<Bytes> saved;
  for (const std::int64_t epoch : {1, 2}) {
    saved.push_back(run::encode_checkpoint(checkpoint(epoch)));
    run::CheckpointStore(folder.path()).save(saved.back(), epoch, epoch);
  }
  const std::filesystem::path manifest = folder.path() / "manifest.json";
  const Bytes whole = read_file(manifest);
  const std::string warnings = printed_by([&] {
    for_each_damage(whole, [&](const Bytes& bytes, const char* what, std::size_t place) {
      overwrite(manifest, bytes);
      const std::optional<Bytes> found = store.load_newest();
      if (!found || std::ranges::find(saved, *found) == saved.end()) FAIL_CHECK(what << " " << place);
    });
  });
  CHECK(warnings.find("manifest.json is damaged") != std::string::npos);
}

TEST_CASE("a damaged byte of a sealed data set is seen before HDF5 reads it") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "data.h5";
  data::DatasetWriter writer(path, {2, 2, 1}, {"only"}, 0);
  const std::vector<std::uint8_t> pixels = {1, 2, 3, 4};
  const std::vector<std::int32_t> labels = {0};
  const std::vector<std::string> names = {"a"};
  for (const data::Split split : {data::Split::training, data::Split::testing}) {
    writer.append(split, pixels, labels, names);
  }
  (void)writer.finish();
  const Bytes whole = read_file(path);
  data::check_dataset_file(path);
  // Without a seal it is a data set of another program, which a process of its own reads first.
  const std::size_t end = whole.size() - seal_line(std::string(64, '0')).size();
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  const auto put = [&](std::size_t place, std::byte value) {
    file.seekp(static_cast<std::streamoff>(place)).put(static_cast<char>(value)).flush();
  };
  for (std::size_t place = 0; place < end; place += 97) {  // of half a million
    put(place, whole[place] ^ std::byte(1U << place % 8));
    if (!is_refused([&] { data::check_dataset_file(path); })) FAIL_CHECK("byte " << place << " passes");
    put(place, whole[place]);
  }
}
