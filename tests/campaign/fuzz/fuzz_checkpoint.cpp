// Checkpoints: whole files that were made elsewhere, or a checkpoint that OddFile edits.
#include <fuzzer/FuzzedDataProvider.h>

#include "fuzz_target.hpp"
#include "mnist_dist/run/checkpoint.hpp"
#include "mnist_dist/train/stop_conditions.hpp"
#include "odd_file.hpp"

using namespace mnist_dist;

namespace {

std::vector<std::byte> odd_checkpoint(FuzzedDataProvider& choices) {
  fuzz::OddFile file(choices);
  file.attribute("format", std::string("mnist-dist checkpoint"));
  file.attribute("format_version", std::int64_t{3});
  file.attribute("settings", std::string("epochs = 3\n"));
  file.attribute("dataset_sha256", std::string("abc"));
  file.attribute("build", std::string("build"));
  file.attribute("arithmetic", std::string("core"));
  file.attribute("epochs_done", std::int64_t{2});
  file.attribute("steps_done", std::int64_t{17});
  file.attribute("steps_done_in_epoch", std::int64_t{3});
  file.attribute("seconds_in_epoch", 0.25);
  file.numbers("/shard_losses", {3}, 0.5);
  for (const char* name : {"/parameters", "/first_moment", "/second_moment", "/average", "/best_parameters"}) {
    file.numbers(name, {7}, 0.0F);
  }
  file.numbers("/history/epoch", {2}, std::int64_t{1});
  for (const char* name : {"/history/score", "/history/loss", "/history/accuracy", "/history/seconds"}) {
    file.numbers(name, {2}, 0.5);
  }
  file.numbers("/history/rows", {2}, std::int64_t{10});
  file.numbers("/history/steps", {2}, std::int64_t{7});
  return file.sealed();
}

/// What a resumed run relies on.
void check(const run::Checkpoint& checkpoint) {
  fuzz::require_printable({checkpoint.dataset_sha256, checkpoint.build, checkpoint.arithmetic});
  fuzz::require(checkpoint.state.epochs_done == static_cast<std::int64_t>(checkpoint.history.size()), "other epochs");
  if (checkpoint.history.empty()) return;
  const std::int64_t best = train::best_epoch(checkpoint.history);
  fuzz::require(best >= 1 && best <= checkpoint.state.epochs_done, "the best epoch is none of the history");
  fuzz::require(checkpoint.best_parameters.size() == checkpoint.state.parameters.size(), "other best parameters");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider choices(data, size);
  const std::vector<std::byte> bytes =
      fuzz::is_whole_file({data, size}) ? fuzz::sealed_anew({data, size}) : odd_checkpoint(choices);
  fuzz::read_anything({ExitCode::bad_data}, [&] { check(run::decode_checkpoint(bytes, "checkpoint.h5")); });
  return 0;
}
