#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "commands.hpp"
#include "initial_model.hpp"
#include "job.hpp"
#include "live_line.hpp"
#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/core/terminal.hpp"
#include "mnist_dist/run/checkpoint_store.hpp"
#include "mnist_dist/run/past_run.hpp"
#include "mnist_dist/run/training_run.hpp"
#include "mnist_dist/train/memory_estimate.hpp"
#include "mnist_dist/train/recipe_scaling.hpp"
#include "mnist_dist/train/stop_conditions.hpp"
#include "recipes.hpp"
#include "settings_flags.hpp"
#include "training.hpp"

namespace mnist_dist::cli {
namespace {

struct TrainOptions {
  SettingsFlags settings;
  std::string output;
  std::string resume;
  bool list_recipes = false;
  int hang_timeout = comm::kHangTimeout;
};

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ';');
  return text;
}

/// An end that lies in the past would be no end of a run with these settings. @throws Error (usage)
void check_end(const std::vector<train::EpochMetrics>& history, const train::Settings& settings) {
  for (std::size_t epochs = 1; epochs < history.size(); ++epochs) {
    const auto reason =
        train::stop_reason({history.begin(), history.begin() + static_cast<std::ptrdiff_t>(epochs)}, settings);
    if (!reason) continue;
    throw Error(ExitCode::usage,
                fmt::format("these settings would have ended the run after epoch {}, and {} are done: {}; start a new "
                            "run for that",
                            epochs, history.size(), *reason));
  }
}

/// @param checkpoint what to go on from, if there is one  @throws Error (usage) naming what must not change
train::Settings settings_of_resumed_run(const TrainOptions& options, const run::RunFolder& folder,
                                        const std::optional<run::Checkpoint>& checkpoint) {
  const std::string config = folder.config().string();
  train::Settings settings = train::settings_from_toml(read_text_file(config), config);
  std::set<std::string> given = given_settings(options.settings);
  if (given.contains("init-from") && initial_model_file(options.settings.values.init_from) == settings.init_from) {
    given.erase("init-from");
  }
  for (const std::string& name : given) {
    if (run::kMayChange.contains(name)) continue;
    throw Error(ExitCode::usage,
                fmt::format("--{} cannot be changed by --resume: the run's value is in {}; start a new "
                            "run for another one",
                            name, config));
  }
  if (checkpoint) {
    train::Settings begun = train::settings_from_toml(checkpoint->settings, "the checkpoint's settings");
    train::override_settings(begun, settings, run::kMayChange);
    if (begun != settings) {
      throw Error(ExitCode::usage,
                  fmt::format("{} was edited after the run began, and only these may change: {}; the "
                              "run began with: {}",
                              config, fmt::join(run::kMayChange, ", "), one_line(train::to_toml(begun))));
    }
  }
  train::override_settings(settings, options.settings.values, given);
  train::check_settings(settings);
  if (checkpoint && train::schedule_of(settings) == optim::ScheduleKind::cosine &&
      settings.epochs != train::settings_from_toml(checkpoint->settings, "the checkpoint's settings").epochs) {
    throw Error(ExitCode::usage, fmt::format("--epochs cannot become {}: with the cosine schedule it decides every "
                                             "step's learning rate; start a new run for another one",
                                             settings.epochs));
  }
  if (checkpoint) check_end(checkpoint->history, settings);
  return settings;
}

/// A run without a checkpoint begins anew, if it has never had one. @throws Error (bad_data)
void check_never_saved(const run::RunFolder& folder) {
  const run::PastRun past = run::read_past_run(folder.path());
  if (past.history.size() < past.settings.checkpoint_every) return;
  const std::string name = printable(folder.path().string());
  throw Error(ExitCode::bad_data,
              fmt::format("{} has lost its checkpoints, and {} epochs are done: restore them from a backup, or start a "
                          "new run, such as one with --init-from {}",
                          name, past.history.size(), name));
}

/// Collective: rank 0 reads or makes the run folder, the others learn from it what they need.
Start prepare(const comm::Communicator& world, const TrainOptions& options) {
  Start start;
  std::string settings;
  std::string bytes;
  const bool resumes = !options.resume.empty();
  comm::run_and_agree(world, [&] {
    if (resumes && (!options.output.empty() || !options.settings.config.empty())) {
      throw Error(ExitCode::usage,
                  "--resume goes on in the run's own folder with its own settings: leave --output and "
                  "--config away");
    }
    if (!resumes) {
      ResolvedSettings resolved = resolve_settings(options.settings);
      start.settings = std::move(resolved.settings);
      start.given = std::move(resolved.given);
      start.of_recipe = std::move(resolved.of_recipe);
    } else if (world.rank() == 0) {
      start.folder = run::RunFolder::open_for_writing(options.resume);
      const auto newest = run::CheckpointStore(start.folder->checkpoints()).load_newest();
      if (newest) {
        start.checkpoint = run::decode_checkpoint(*newest, options.resume);
        bytes.assign(reinterpret_cast<const char*>(newest->data()), newest->size());
      } else {
        check_never_saved(*start.folder);
      }
      settings = train::to_toml(settings_of_resumed_run(options, *start.folder, start.checkpoint));
    }
  });
  if (!resumes) return start;
  settings = world.broadcast(std::move(settings));
  bytes = world.broadcast(std::move(bytes));
  comm::run_and_agree(world, [&] {
    start.settings = train::settings_from_toml(settings, "the run's settings");
    start.given = train::names_in_toml(settings, "the run's settings");
    if (!bytes.empty()) start.checkpoint = run::decode_checkpoint(std::as_bytes(std::span(bytes)), options.resume);
  });
  return start;
}

/// A place where no link can be made is no reason not to train.
void make_latest(const run::RunFolder& folder) {
  try {
    folder.become_latest();
  } catch (const Error& error) {
    log_warning(fmt::format("{}: name the run to `mnist-dist evaluate --model`", error.what()));
  }
}

void print_run(const Start& start, const std::string& exchange, const std::string& start_line) {
  std::string resumed;
  if (start.checkpoint) {
    resumed = fmt::format(", resumed in epoch {} after {} of its steps", start.checkpoint->state.epochs_done + 1,
                          start.checkpoint->state.steps_done_in_epoch);
  }
  if (!exchange.empty()) print_line(fmt::format("exchange {}", exchange));
  if (!start_line.empty()) print_line(start_line);
  print_line(fmt::format("run      {}{}", printable(start.folder->path().string()), resumed));
  print_line("\nepoch      loss     score   holdout   seconds    images/s      left");
}

void print_epoch(const train::EpochMetrics& epoch, bool is_best, double mean_seconds, std::uint64_t last_epoch) {
  const double left = mean_seconds * static_cast<double>(last_epoch - static_cast<std::uint64_t>(epoch.epoch));
  const auto or_dash = [](double value, int digits, const char* unit) {
    return std::isnan(value) ? std::string("-") : fmt::format("{:.{}f}{}", value, digits, unit);
  };
  const std::string loss = epoch.loss < 1000 ? fmt::format("{:9.5f}", epoch.loss) : fmt::format("{:9.2e}", epoch.loss);
  print_line(fmt::format("{:5} {} {:>9} {:>9} {:9.3f} {:11.0f} {:>9}{}", epoch.epoch, loss, or_dash(epoch.score, 5, ""),
                         or_dash(100 * epoch.accuracy, 2, " %"), epoch.seconds, epoch.images_per_second(),
                         as_time(left), is_best && !std::isnan(epoch.score) ? "  best" : ""));
}

/// Guessing all classes alike has the loss ln(classes): with one class, 0.
void warn_of_divergence(const train::EpochMetrics& epoch, std::size_t classes, double learning_rate) {
  const double guessing = std::log(static_cast<double>(classes));
  if (classes < 2 || epoch.loss < 10 * guessing) return;
  log_warning(
      fmt::format("the loss of epoch {} is {:.3g}, where guessing has {:.3g}: try a smaller --learning-rate than {}",
                  epoch.epoch, epoch.loss, guessing, learning_rate));
}

void print_end(const run::TrainingRun& run, const run::TrainingRun::End& end, const std::string& folder) {
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

int run_train(const TrainOptions& options) {
  if (options.list_recipes) {
    if (comm::rank_by_launcher() == 0) print_output(recipe_list());
    return static_cast<int>(ExitCode::done);
  }
  // 1. Start MPI. A stop signal that came before, or comes now, ends the run at its first safe point.
  const comm::Environment environment(options.hang_timeout);
  check_same_command(options.resume.empty() ? "train" : "train --resume");
  const Ranks ranks;

  // 2. Agree on where to start, and open the data.
  Start start = prepare(ranks.world, options);
  const data::DatasetFile file = open_data(ranks.world, ranks.host, start.settings.data);
  comm::run_and_agree(ranks.world, [&] {
    start.settings = train::scaled_to_data(start.settings, start.of_recipe, train::size_of(file));
  });

  // 3. Train.
  const run::TrainingRun::End end = train_run(ranks, start, file, options.output);
  comm::Environment::finalize();
  return static_cast<int>(end.finished ? ExitCode::done : ExitCode::stopped_early);
}

}  // namespace

run::TrainingRun::End train_run(const Ranks& ranks, Start& start, const data::DatasetFile& file,
                                const std::string& output) {
  const comm::Communicator& world = ranks.world;
  const bool speaks = world.rank() == 0;

  // 1. Read the data, and make the run's folder where there is none.
  std::optional<run::Model> model;
  if (!start.checkpoint) model = open_initial_model(world, start.given, file, start.settings);
  check_same_settings(world, start.settings);
  train::check_memory(world, ranks.host, start.settings, file);
  const train::TrainingData data = train::read_training_data(world, start.settings, file);
  comm::run_and_agree(world, [&] {
    if (!speaks) return;
    print_line(job_header(start.settings, file, ranks));  // a run of which nobody can read this does not begin
    if (train::products_of(start.settings) == nn::Products::openblas) warn_of_slow_blas();
    for (const std::string& warning :
         train::class_warnings(file.classes(), data.training_rows_of_class, data.holdout_rows_of_class,
                               train::class_weights_of(start.settings))) {
      log_warning(warning);
    }
    if (!start.folder) start.folder = run::RunFolder::create(output, start.settings);
  });

  // 2. Train.
  double seconds = 0;
  int epochs = 0;
  const auto print = [&](const train::EpochMetrics& epoch, bool is_best) {
    seconds += epoch.seconds;
    ++epochs;
    print_epoch(epoch, is_best, seconds / epochs, start.settings.epochs);
    if (epochs == 1) warn_of_divergence(epoch, file.classes().size(), start.settings.learning_rate);
  };
  run::TrainingRun training(world, ranks.host, start.settings, file, data, start.folder ? &*start.folder : nullptr,
                            start.checkpoint, model ? &*model : nullptr);
  comm::run_and_agree(world, [&] {
    if (!speaks) return;
    make_latest(*start.folder);
    print_run(start, training.exchange().description(), model ? start_line(*model, file, start.settings) : "");
  });
  std::function<void(const train::Trainer&)> show;
  if (const std::size_t columns = speaks ? terminal_columns() : 0; columns > 0) {
    show = [line = LiveLine(columns, start.settings.epochs)](const train::Trainer& trainer) mutable {
      line.show(trainer);
    };
  }
  run::TrainingRun::End end = training.run(print, show);

  // 3. Say how it ended.
  comm::run_and_agree(world, [&] {
    if (speaks) print_end(training, end, printable(start.folder->path().string()));
  });
  return end;
}

RunCommand add_train_command(CLI::App& command) {
  const auto options = std::make_shared<TrainOptions>();
  add_settings_flags(command, options->settings);
  command.add_option("-o,--output", options->output, "the run's folder (default: runs/<UTC time>)")->group("Files");
  command.add_option("--resume", options->resume, "go on from the newest checkpoint of this run's folder")
      ->group("Files");
  command.add_flag("--list-recipes", options->list_recipes, "print what --recipe can be, and do nothing else")
      ->group("Settings as a whole");
  add_hang_timeout(command, options->hang_timeout);
  return [options] { return run_train(*options); };
}

}  // namespace mnist_dist::cli
