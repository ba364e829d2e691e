#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "commands.hpp"
#include "mnist_dist/blas/gemm.hpp"
#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/build_info.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/stop_request.hpp"
#include "mnist_dist/train/checkpoint_store.hpp"
#include "mnist_dist/train/training_run.hpp"

namespace mnist_dist::cli {
namespace {

struct TrainOptions {
  train::Settings settings;
  std::map<std::string, CLI::Option*> flags;  // by the setting's name
  std::string config;
  std::string output;
  std::string resume;
};

void print_line(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

/// The settings that stand on the command line.
std::set<std::string> given_flags(const TrainOptions& options) {
  std::set<std::string> given;
  for (const auto& [name, flag] : options.flags) {
    if (flag->count() > 0) given.insert(name);
  }
  return given;
}

/// The settings in force: what stands on the command line, then --config, then the defaults.
train::Settings resolve(const TrainOptions& options) {
  train::Settings settings = options.settings;
  if (!options.config.empty()) {
    settings = train::settings_from_toml(read_text_file(options.config), options.config);
    train::override_settings(settings, options.settings, given_flags(options));
  }
  train::check_settings(settings);
  return settings;
}

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ';');
  return text;
}

/// What all ranks need to know of where to start.
struct Start {
  train::Settings settings;
  std::optional<train::RunFolder> folder;  // at rank 0
  std::optional<train::Checkpoint> checkpoint;
};

/// A run that is resumed keeps its settings: other ones would give neither this run's bits nor another's. More epochs
/// only move its end, the data set may have been moved, and checkpoints may become more frequent.
const std::set<std::string> kMayChange = {"epochs", "data", "checkpoint-every"};

/// @param checkpoint what to go on from, if there is one  @throws Error (usage) naming what must not change
train::Settings settings_of_resumed_run(const TrainOptions& options, const train::RunFolder& folder,
                                        const std::optional<train::Checkpoint>& checkpoint) {
  const std::string config = folder.config().string();
  const std::set<std::string> given = given_flags(options);
  for (const std::string& name : given) {
    if (kMayChange.contains(name)) continue;
    throw Error(ExitCode::usage,
                fmt::format("--{} cannot be changed by --resume: the run's value is in {}; start a new "
                            "run for another one",
                            name, config));
  }
  train::Settings settings = train::settings_from_toml(read_text_file(config), config);
  if (checkpoint) {
    train::Settings begun = train::settings_from_toml(checkpoint->settings, "the checkpoint's settings");
    train::override_settings(begun, settings, kMayChange);
    if (begun != settings) {
      throw Error(ExitCode::usage, fmt::format("{} was edited after the run began, and only epochs, data and "
                                               "checkpoint-every may change; the run began with: {}",
                                               config, one_line(train::to_toml(begun))));
    }
  }
  train::override_settings(settings, options.settings, given);
  train::check_settings(settings);
  return settings;
}

/// Collective: rank 0 reads or makes the run folder, the others learn from it what they need.
Start prepare(const comm::Communicator& world, const TrainOptions& options) {
  Start start;
  std::string settings;
  std::string bytes;
  const bool resumes = !options.resume.empty();
  comm::run_and_agree(world, [&] {
    if (resumes && (!options.output.empty() || !options.config.empty())) {
      throw Error(ExitCode::usage,
                  "--resume goes on in the run's own folder with its own settings: leave --output and "
                  "--config away");
    }
    if (!resumes) {
      start.settings = resolve(options);
    } else if (world.rank() == 0) {
      start.folder = train::RunFolder::open(options.resume);
      const auto newest = train::CheckpointStore(start.folder->checkpoints()).load_newest();
      if (newest) {
        start.checkpoint = train::decode_checkpoint(*newest, options.resume);
        bytes.assign(reinterpret_cast<const char*>(newest->data()), newest->size());
      }
      settings = train::to_toml(settings_of_resumed_run(options, *start.folder, start.checkpoint));
    }
  });
  if (!resumes) return start;
  settings = world.broadcast(std::move(settings));
  bytes = world.broadcast(std::move(bytes));
  comm::run_and_agree(world, [&] {
    start.settings = train::settings_from_toml(settings, "the run's settings");
    if (!bytes.empty()) start.checkpoint = train::decode_checkpoint(std::as_bytes(std::span(bytes)), options.resume);
  });
  return start;
}

/// Collective: opens the data set at every rank.
data::DatasetFile open_data(const comm::Communicator& world, const std::string& path) {
  std::optional<data::DatasetFile> file;
  comm::run_and_agree(world, [&] { file.emplace(path); });
  return std::move(*file);
}

/// Collective: the number of hosts.
std::int64_t count_hosts(const comm::Communicator& world, const comm::Communicator& host) {
  std::int64_t first_ranks = host.rank() == 0 ? 1 : 0;
  world.sum(std::span(&first_ranks, 1));
  return first_ranks;
}

void print_header(const Start& start, const data::DatasetFile& file, int ranks, std::int64_t hosts) {
  const train::Settings& settings = start.settings;
  const nn::Architecture network = train::architecture_for(settings, file);
  const data::ImageShape shape = file.image_shape();
  print_line(fmt::format("{}", build_description()));
  print_line(fmt::format("network  {}, {} parameters, leaky ReLU {}, dropout {}", network.description(),
                         nn::parameter_count(network), settings.leaky_relu_slope, settings.dropout));
  print_line(fmt::format("data     {}: {} training images of {}x{}{}, {} classes, holdout {:.4g} %",
                         printable(settings.data), file.rows(data::Split::training), shape.width, shape.height,
                         shape.channels == 3 ? " RGB" : "", file.classes().size(), 100 * settings.holdout));
  print_line(fmt::format("ranks    {} on {} host{}, 1 thread each, BLAS core {}; {} shards, batch {}, seed {}{}", ranks,
                         hosts, hosts == 1 ? "" : "s", blas::core_name(), settings.shards, settings.batch_size,
                         settings.seed, settings.reduction == "mpi" ? "; MPI_Allreduce" : ""));
  std::string resumed;
  if (start.checkpoint) {
    resumed = fmt::format(", resumed in epoch {} after {} of its steps", start.checkpoint->epochs_done + 1,
                          start.checkpoint->steps_done_in_epoch);
  }
  print_line(fmt::format("run      {}{}", printable(start.folder->path().string()), resumed));
  print_line("\nepoch      loss     score   holdout   seconds    images/s      left");
}

std::string as_time(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::lround(seconds));
  return whole >= 3600 ? fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : fmt::format("{}:{:02}", whole / 60, whole % 60);
}

void print_epoch(const train::EpochMetrics& epoch, bool is_best, double mean_seconds, std::uint64_t last_epoch) {
  const double left = mean_seconds * static_cast<double>(last_epoch - static_cast<std::uint64_t>(epoch.epoch));
  const auto or_dash = [](double value, int digits, const char* unit) {
    return std::isnan(value) ? std::string("-") : fmt::format("{:.{}f}{}", value, digits, unit);
  };
  print_line(fmt::format("{:5} {:9.5f} {:>9} {:>9} {:9.3f} {:11.0f} {:>9}{}", epoch.epoch, epoch.loss,
                         or_dash(epoch.score, 5, ""), or_dash(100 * epoch.accuracy, 2, " %"), epoch.seconds,
                         epoch.images_per_second(), as_time(left), is_best ? "  best" : ""));
}

void print_end(const train::TrainingRun& run, const train::TrainingRun::End& end, const std::string& folder) {
  print_line(fmt::format("\n{}", end.reason));
  if (!end.finished) {
    print_line(fmt::format("checkpoint saved; go on with: mnist-dist train --resume {}", folder));
    return;
  }
  const train::EpochMetrics& best = run.history()[static_cast<std::size_t>(train::best_epoch(run.history())) - 1];
  if (std::isnan(best.score)) {
    print_line(fmt::format("last     epoch {} (no holdout to choose the best by)", best.epoch));
  } else {
    print_line(fmt::format("best     epoch {}: score {:.5f}, holdout accuracy {:.2f} %", best.epoch, best.score,
                           100 * best.accuracy));
  }
  print_line(fmt::format("model    {}/model.h5", folder));
}

/// CLI11 would read -5 as a number near 2^64.
std::string refuse_negative(const std::string& value) {
  return value.starts_with('-') ? fmt::format("{} is negative", value) : std::string();
}

int run_train(const TrainOptions& options) {
  // 1. Start MPI; from now on a stop signal ends the run at the next safe point.
  blas::use_one_thread();
  catch_stop_signals();
  const comm::Environment environment;
  const comm::Communicator world = comm::Communicator::world();
  const comm::Communicator host = world.split_by_host();

  // 2. Agree on where to start, and open the data.
  Start start = prepare(world, options);
  const data::DatasetFile file = open_data(world, start.settings.data);
  const train::TrainingData data = train::read_training_data(world, start.settings, file);
  if (options.resume.empty()) {
    comm::run_and_agree(world, [&] {
      if (world.rank() == 0) start.folder = train::RunFolder::create(options.output, start.settings);
    });
  }
  const std::int64_t hosts = count_hosts(world, host);
  const bool speaks = world.rank() == 0;
  if (speaks) print_header(start, file, world.size(), hosts);

  // 3. Train.
  train::TrainingRun run(world, host, start.settings, file, data, start.folder ? &*start.folder : nullptr,
                         start.checkpoint);
  double seconds = 0;
  int epochs = 0;
  const train::TrainingRun::End end = run.run([&](const train::EpochMetrics& epoch, bool is_best) {
    seconds += epoch.seconds;
    ++epochs;
    if (speaks) print_epoch(epoch, is_best, seconds / epochs, start.settings.epochs);
  });

  // 4. Say how it ended.
  if (speaks) print_end(run, end, printable(start.folder->path().string()));
  comm::Environment::finalize();
  return static_cast<int>(end.finished ? ExitCode::done : ExitCode::stopped_early);
}

}  // namespace

RunCommand add_train_command(CLI::App& command) {
  const auto options = std::make_shared<TrainOptions>();
  train::visit_settings(options->settings, [&]<class T>(const train::SettingInfo& info, T& value) {
    const std::string name = info.name;
    CLI::Option* flag = command.add_option(name == "data" ? "DATA,--data" : "--" + name, value, info.help);
    if constexpr (std::is_same_v<T, std::vector<std::uint64_t>>) {
      flag->delimiter(',')->allow_extra_args(false)->default_str(fmt::format("{}", fmt::join(value, ",")));
    } else {
      flag->default_str(fmt::format("{}", value));
    }
    if constexpr (!std::is_same_v<T, std::string> && !std::is_same_v<T, double>) flag->check(refuse_negative);
    options->flags[name] = flag;
  });
  command.add_option("-c,--config", options->config, "TOML file of these settings; flags on the command line win");
  command.add_option("-o,--output", options->output, "the run's folder (default: runs/<UTC time>)");
  command.add_option("--resume", options->resume, "go on from the newest checkpoint of this run's folder");
  return [options] { return run_train(*options); };
}

}  // namespace mnist_dist::cli
