#include <fmt/format.h>

#include <memory>

#include "commands.hpp"
#include "job.hpp"
#include "mnist_dist/bench/benchmark.hpp"
#include "mnist_dist/bench/benchmark_output.hpp"
#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/train/memory_estimate.hpp"
#include "mnist_dist/train/recipe_scaling.hpp"
#include "mnist_dist/train/training_data.hpp"
#include "settings_flags.hpp"

namespace mnist_dist::cli {
namespace {

struct BenchOptions {
  SettingsFlags settings;
  double seconds = 2;
  bool json = false;
  int hang_timeout = comm::kHangTimeout;
};

void check_seconds(double seconds) {
  constexpr double kLowest = 0.01;
  constexpr double kHighest = 3600;
  if (seconds >= kLowest && seconds <= kHighest) return;  // false for NaN
  throw Error(ExitCode::usage,
              fmt::format("--seconds is {}, but must lie between {} and {}", seconds, kLowest, kHighest));
}

int run_bench(const BenchOptions& options) {
  // 1. Start MPI.
  const comm::Environment environment(options.hang_timeout);
  check_same_command(fmt::format("bench --seconds {}", options.seconds));
  const Ranks ranks;
  const bool speaks = ranks.world.rank() == 0;

  // 2. Agree on what to measure, and open the data.
  ResolvedSettings resolved;
  comm::run_and_agree(ranks.world, [&] {
    resolved = resolve_settings(options.settings);
    check_seconds(options.seconds);
  });
  const data::DatasetFile file = open_data(ranks.world, ranks.host, resolved.settings.data);
  train::Settings settings;
  comm::run_and_agree(ranks.world, [&] {
    settings = train::scaled_to_data(resolved.settings, resolved.of_recipe, train::size_of(file));
  });
  check_same_settings(ranks.world, settings);
  train::check_memory(ranks.world, ranks.host, settings, file);
  const train::TrainingData data = train::read_training_data(ranks.world, settings, file);
  comm::run_and_agree(ranks.world, [&] {
    if (!speaks) return;
    warn_of_slow_blas();
    if (options.json) return;
    print_line(job_header(settings, file, ranks));
    print_line("");
  });

  // 3. Measure.
  const bench::Benchmark benchmark = bench::run_benchmark(ranks.world, ranks.host, settings, data,
                                                          train::architecture_for(settings, file), options.seconds);

  // 4. Rank 0 reports.
  if (speaks) {
    const bench::Subject subject{settings, file, ranks.world.size(), ranks.hosts};
    print_output(options.json ? bench::benchmark_json(benchmark, subject) : bench::benchmark_text(benchmark, subject));
  }
  comm::Environment::finalize();
  return 0;
}

}  // namespace

RunCommand add_bench_command(CLI::App& command) {
  const auto options = std::make_shared<BenchOptions>();
  add_settings_flags(command, options->settings, {"init-from"});
  command
      .add_option("--seconds", options->seconds,
                  "how long steps are measured; the rest takes a few seconds more [0.01 to 3600]")
      ->group("Measuring")
      ->capture_default_str();
  command.add_flag("--json", options->json, "one JSON object instead of tables")->group("Measuring");
  add_hang_timeout(command, options->hang_timeout);
  return [options] { return run_bench(*options); };
}

}  // namespace mnist_dist::cli
