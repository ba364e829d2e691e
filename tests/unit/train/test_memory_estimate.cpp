#include <doctest/doctest.h>

#include <string>

#include "message_of.hpp"
#include "mnist_dist/core/memory.hpp"
#include "mnist_dist/train/memory_estimate.hpp"

using namespace mnist_dist;
using train::estimate_memory;
using train::MemoryEstimate;
using train::Settings;

namespace {

// 32 x 64 + 64 and 64 x 16 + 16 parameters, without padding.
const nn::Architecture kArchitecture{32, {64}, 16};
constexpr double kVector = 4.0 * (32 * 64 + 64 + 64 * 16 + 16);

}  // namespace

TEST_CASE("ranks of a host share the parameters, and all ranks the optimiser's moments") {
  Settings settings;
  const MemoryEstimate alone = estimate_memory(settings, kArchitecture, 1000, 1, 1);
  CHECK(alone.parameters == 2 * kVector);  // with the initial values
  CHECK(alone.optimizer == 2 * kVector);
  settings.exchange = "gradients";
  const MemoryEstimate half = estimate_memory(settings, kArchitecture, 1000, 8, 4);
  CHECK(half.parameters == 5 * kVector);
  CHECK(half.optimizer == kVector);
  CHECK(half.total() == half.parameters + half.optimizer + half.activations);
  settings.average = 0.9;
  CHECK(estimate_memory(settings, kArchitecture, 1000, 1, 1).optimizer == 3 * kVector);
  settings.optimizer = "sgd";
  CHECK(estimate_memory(settings, kArchitecture, 1000, 1, 1).optimizer == 2 * kVector);
  settings.reduction = "mpi";
  CHECK(estimate_memory(settings, kArchitecture, 1000, 8, 4).optimizer == 4 * 2 * kVector);
  CHECK(estimate_memory(settings, kArchitecture, 1000, 8, 4).parameters == 4 * 3 * kVector);
}

TEST_CASE("a host that gets activations updates all parameters, and has room for the rows of all") {
  Settings settings;
  settings.exchange = "gradients";
  const MemoryEstimate gradients = estimate_memory(settings, kArchitecture, 1000, 8, 4);
  settings.exchange = "activations";
  const MemoryEstimate activations = estimate_memory(settings, kArchitecture, 1000, 8, 4);
  CHECK(activations.optimizer == 2 * kVector);
  CHECK(activations.parameters == gradients.parameters);
  const double of_ranks = estimate_memory(settings, kArchitecture, 1000, 8, 8).activations / 2;
  // The sums of four of the eight shards are one.
  CHECK(gradients.activations == of_ranks + 2 * kVector);
  // 8 ranks of 13 rows: lists of pixels, outputs, deltas, of the last layer deltas alone.
  const double most = activations.activations - of_ranks;
  CHECK(most > 8 * 13 * 4.0 * (2 * 32 / 4 + 2 * 64 + 16));
  CHECK(most < 8 * 13 * 4.0 * (2 * 32 / 4 + 2 * 64 + 16) * 1.2);

  // Of what may be chosen, that which takes more.
  settings.exchange = "auto";
  CHECK(estimate_memory(settings, kArchitecture, 1000, 8, 4).total() == activations.total());
  // Three of eight shards leave two sums, which are more than the activations of a few rows.
  settings.batch_size = 8;
  CHECK(estimate_memory(settings, kArchitecture, 1000, 8, 3).optimizer == 2 * kVector * 3 / 8);
}

TEST_CASE("activations are those of the rows that a step has") {
  Settings settings;
  settings.exchange = "gradients";
  const auto activations = [&](std::uint64_t batch_size, int ranks, int of_host) {
    settings.batch_size = batch_size;
    return estimate_memory(settings, kArchitecture, 8000, ranks, of_host).activations;
  };
  // Lists of pixels; outputs, their gradients and scales; logits and scales: four bytes each, by row.
  constexpr double kRow = 4.0 * (2 * 32 / 4 + 3 * 64 + 2 * 16);
  CHECK(activations(8000, 1, 1) > 8000 * kRow);
  CHECK(activations(8000, 1, 1) < 8000 * kRow * 1.05);
  CHECK(activations(std::uint64_t{1} << 53, 1, 1) == activations(8000, 1, 1));
  CHECK(activations(4000, 1, 1) < 0.51 * activations(8000, 1, 1));
  CHECK(activations(8000, 8, 1) < 0.13 * activations(8000, 1, 1));
  // Besides, hosts have room for sums: those of three shards are two.
  CHECK(activations(8000, 8, 3) - 4 * kVector == 3 * (activations(8000, 8, 1) - 2 * kVector));
}

TEST_CASE("more memory than the host has is refused, with what it would be for") {
  Settings settings;
  settings.hidden = {1048576, 1048576};
  settings.batch_size = 5000;
  const MemoryEstimate estimate{.parameters = 4.4e12, .optimizer = 8.8e9, .activations = 1e6};
  const std::string message =
      message_of(ExitCode::usage, [&] { train::check_estimate(estimate, settings, 2, 4.4e12); });
  CHECK(message ==
        "--hidden 1048576,1048576 and --batch-size 5000 take at least 4.4 TB with 2 ranks on a host (4.4 TB for "
        "parameters, 8.8 GB for the optimiser, 1.0 MB for activations and "
        "messages), but it has 4.4 TB: give smaller ones");
  CHECK_NOTHROW(train::check_estimate(estimate, settings, 2, 4.5e12));
  CHECK(physical_memory() > 1e8);
}
