#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "commands.hpp"
#include "job.hpp"
#include "mnist_dist/bench/benchmark.hpp"
#include "mnist_dist/bench/benchmark_output.hpp"
#include "mnist_dist/bench/prediction_output.hpp"
#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/comm/link.hpp"
#include "mnist_dist/core/allowed_values.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/core/processors.hpp"
#include "mnist_dist/core/sum_tree.hpp"
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
  bool predict = false;
  int ranks_per_host = 0;  // 0: not given
  int hang_timeout = comm::kHangTimeout;
};

void check_seconds(double seconds) {
  constexpr double kLowest = 0.01;
  constexpr double kHighest = 3600;
  if (seconds >= kLowest && seconds <= kHighest) return;  // false for NaN
  throw Error(ExitCode::usage,
              fmt::format("--seconds is {}, but must lie between {} and {}", seconds, kLowest, kHighest));
}

void check_predict(const BenchOptions& options, const train::Settings& settings) {
  if (!options.predict && options.ranks_per_host > 0) {
    throw Error(ExitCode::usage, "--ranks-per-host is for --predict: give both or neither");
  }
  if (options.predict && train::reduction_of(settings) == comm::ReductionKind::mpi) {
    throw Error(ExitCode::usage, "--predict knows the tree only: leave out --reduction mpi");
  }
  // The others wait for the rank that measures alone, half of the seconds or somewhat more; the watch lets them wait
  // ten times its limit.
  const int patience = 10 * options.hang_timeout;
  if (options.predict && patience > 0 && options.seconds >= patience) {
    throw Error(
        ExitCode::usage,
        fmt::format("--predict with --seconds {} makes ranks wait as if others hung: with --hang-timeout {} give "
                    "less than {} seconds, or a longer --hang-timeout",
                    options.seconds, options.hang_timeout, patience));
  }
}

/// Collective over all ranks: what this one trains on. For predictions each host trains alone, with batches as large as
/// those of all its ranks with a whole one each.
train::TrainingData read_data(const BenchOptions& options, const Ranks& ranks, const train::Settings& settings,
                              const data::DatasetFile& file) {
  if (!options.predict) {
    train::check_memory(ranks.world, ranks.host, settings, file);
    return train::read_training_data(ranks.world, settings, file);
  }
  const int size = ranks.host.size();
  train::Settings largest = settings;
  largest.batch_size =
      static_cast<std::uint64_t>(size) * std::min<std::uint64_t>(settings.batch_size, file.rows(data::Split::training));
  std::optional<train::TrainingData> data;
  comm::run_and_agree(ranks.world, [&] {
    train::check_memory(size, size, largest, file);
    data.emplace(file, settings, shards_of_rank(settings.shards, size, ranks.host.rank()));
  });
  return std::move(*data);
}

/// Collective: what rank 0 is to say of other layouts; "" at the others. @param data this host's
std::string predicted(const BenchOptions& options, const Ranks& ranks, const bench::Subject& subject,
                      train::TrainingData data) {
  std::optional<comm::Link> link;
  if (ranks.hosts > 1) link = comm::measure_link(ranks.world, ranks.host);
  bench::Forecast forecast{
      .probe = bench::probe(ranks.host, subject.settings, subject.file, std::move(data), options.seconds), .table = {}};
  ranks.world.barrier();
  if (ranks.world.rank() != 0) return "";
  forecast.processors = cpus_of_machine();
  forecast.ranks_per_host_given = options.ranks_per_host > 0;
  forecast.ranks_per_host = forecast.ranks_per_host_given ? options.ranks_per_host : forecast.processors;
  forecast.table = bench::predict_all(forecast.probe.costs, forecast.probe.job, forecast.ranks_per_host,
                                      bench::links_to_predict(link));
  return options.json ? bench::forecast_json(forecast, subject) : bench::forecast_text(forecast, subject);
}

/// Collective: what rank 0 is to say of a step; "" at the others.
std::string measured(const BenchOptions& options, const Ranks& ranks, const bench::Subject& subject,
                     const train::TrainingData& data) {
  const bench::Benchmark benchmark =
      bench::run_benchmark(ranks.world, ranks.host, subject.settings, data,
                           train::architecture_for(subject.settings, subject.file), options.seconds);
  if (ranks.world.rank() != 0) return "";
  return options.json ? bench::benchmark_json(benchmark, subject) : bench::benchmark_text(benchmark, subject);
}

int run_bench(const BenchOptions& options) {
  // 1. Start MPI.
  const comm::Environment environment(options.hang_timeout);
  check_same_command(fmt::format("bench --seconds {}{}", options.seconds, options.predict ? " --predict" : ""));
  const Ranks ranks;
  const bool speaks = ranks.world.rank() == 0;

  // 2. Agree on what to measure, and open the data.
  ResolvedSettings resolved;
  comm::run_and_agree(ranks.world, [&] {
    resolved = resolve_settings(options.settings);
    check_seconds(options.seconds);
    check_predict(options, resolved.settings);
  });
  const data::DatasetFile file = open_data(ranks.world, ranks.host, resolved.settings.data);
  train::Settings settings;
  comm::run_and_agree(ranks.world, [&] {
    settings = train::scaled_to_data(resolved.settings, resolved.of_recipe, train::size_of(file));
  });
  check_same_settings(ranks.world, settings);
  train::TrainingData data = read_data(options, ranks, settings, file);
  comm::run_and_agree(ranks.world, [&] {
    if (!speaks) return;
    warn_of_slow_blas();
    if (options.json || options.predict) return;
    print_line(job_header(settings, file, ranks));
    print_line("");
  });

  // 3. Measure; rank 0 reports.
  const bench::Subject subject{settings, file, ranks.world.size(), ranks.hosts};
  const std::string text =
      options.predict ? predicted(options, ranks, subject, std::move(data)) : measured(options, ranks, subject, data);
  if (speaks) print_output(text);
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
  command
      .add_flag("--predict", options->predict,
                "from such a measurement: the time of an epoch with 1 to 4096 ranks, over links of several speeds")
      ->group("Measuring");
  command
      .add_option("--ranks-per-host", options->ranks_per_host,
                  "--predict: of the hosts to come; otherwise as many as this one has processors [1 to 4096]")
      ->group("Measuring")
      ->check(whole_number(1, 4096));
  command.add_flag("--json", options->json, "one JSON object instead of tables")->group("Measuring");
  add_hang_timeout(command, options->hang_timeout);
  return [options] { return run_bench(*options); };
}

}  // namespace mnist_dist::cli
