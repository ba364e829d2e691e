#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "job.hpp"
#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/build_info.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/nn/arithmetic.hpp"
#include "mnist_dist/run/checkpoint_store.hpp"
#include "mnist_dist/run/past_run.hpp"
#include "training.hpp"

namespace mnist_dist::cli {
namespace {

struct ReproduceOptions {
  std::string run;
  std::string data;
  std::string output;
  int hang_timeout = comm::kHangTimeout;
};

/// The run that is to come out again. At rank 0.
struct Original {
  run::PastRun run;
  run::Model model;
  std::vector<run::Difference> edited;  ///< settings: as it was trained, and as config.toml has them now
};

Original read_original(const std::string& path) {
  Original original{.run = run::read_past_run(path), .model = {}, .edited = {}};
  const std::string name = printable(path);
  if (original.run.state != run::RunState::finished) {
    throw Error(ExitCode::usage, fmt::format("{} is not finished: let it end, or go on with `mnist-dist train --resume "
                                             "{}`, and reproduce it then",
                                             name, name));
  }
  original.model = run::load_model(run::model_file(path));
  const run::RunFolder folder = run::RunFolder::open(path);
  if (const auto bytes = run::CheckpointStore(folder.checkpoints()).load_newest()) {
    const run::Checkpoint checkpoint = run::decode_checkpoint(*bytes, folder.checkpoints().string());
    train::Settings trained = train::settings_from_toml(checkpoint.settings, "the checkpoint's settings");
    train::override_settings(trained, original.run.settings, {"data", "checkpoint-every"});  // they harm no bits
    original.edited = run::differences(trained, original.run.settings);
  }
  return original;
}

void check_data(const Original& original, const data::DatasetFile& file, const std::string& run) {
  if (original.model.dataset_sha256 == file.content_sha256()) return;
  throw Error(ExitCode::bad_data,
              fmt::format("{} is not the data set of {}: its content_sha256 is {:.12}..., the run's is {:.12}...; name "
                          "the right one with --data",
                          printable(file.path().string()), printable(run), file.content_sha256(),
                          original.model.dataset_sha256));
}

void warn_of_other_build(const Original& original) {
  const std::string arithmetic = nn::arithmetic(train::products_of(original.run.settings));
  if (original.model.build == build_identity() && original.model.arithmetic == arithmetic) return;
  log_warning(fmt::format("the run was trained by {} with {}; this is {} with {}: its bits may differ",
                          original.model.build, original.model.arithmetic, build_identity(), arithmetic));
}

/// What may be the reason that other bits came out.
std::vector<run::Difference> reasons(const Original& original, const run::Model& again) {
  std::vector<run::Difference> found = run::differences(original.model, again);
  for (const run::Difference& setting : original.edited) {
    found.push_back({"--" + setting.what + ", edited in config.toml,", setting.first, setting.second});
  }
  if (train::reduction_of(original.run.settings) == comm::ReductionKind::mpi) {
    found.push_back({"the order of sums with --reduction mpi", "by its ranks", "by these"});
  }
  return found;
}

/// At rank 0. @return whether the same bits came out
bool print_verdict(const Original& original, const std::string& run, const run::RunFolder& folder) {
  const run::Model again = run::load_model(folder.model());
  const std::string first = run::parameters_sha256(original.model);
  const std::string second = run::parameters_sha256(again);
  const std::string names = fmt::format("{} and {}", printable(run), printable(folder.path().string()));
  if (first == second) {
    print_line(fmt::format("\nthe same bits: the parameters of {} have the SHA-256 {}", names, first));
    return true;
  }
  print_line(fmt::format("\nnot the same bits: the parameters of {} have the SHA-256 {:.16}... and {:.16}...", names,
                         first, second));
  const std::vector<run::Difference> all = reasons(original, again);
  for (const run::Difference& reason : all) {
    print_line(fmt::format("{} differs: {} and {}", reason.what, printable(reason.first), printable(reason.second)));
  }
  const std::string& begun_with = original.run.settings.init_from;
  if (all.empty() && !begun_with.empty()) {
    print_line(
        fmt::format("settings, data, build and arithmetic are the same; {}, with which it began, may have "
                    "changed since",
                    printable(begun_with)));
  } else if (all.empty()) {
    print_line("settings, data, build and arithmetic are the same: please report this");
  }
  return false;
}

int run_reproduce(const ReproduceOptions& options) {
  // 1. Start MPI.
  const comm::Environment environment(options.hang_timeout);
  check_same_command("reproduce");
  const Ranks ranks;
  const comm::Communicator& world = ranks.world;

  // 2. Rank 0 reads the run, and all learn its settings.
  std::optional<Original> original;
  std::string settings;
  comm::run_and_agree(world, [&] {
    if (world.rank() != 0) return;
    original = read_original(options.run);
    if (!options.data.empty()) original->run.settings.data = options.data;
    settings = train::to_toml(original->run.settings);
    warn_of_other_build(*original);
  });
  settings = world.broadcast(std::move(settings));
  Start start;
  comm::run_and_agree(world, [&] {
    start.settings = train::settings_from_toml(settings, "the run's settings");
    start.given = train::names_in_toml(settings, "the run's settings");
  });
  const data::DatasetFile file = open_data(world, ranks.host, start.settings.data);
  comm::run_and_agree(world, [&] {
    if (original) check_data(*original, file, options.run);
  });

  // 3. Train it again.
  const run::TrainingRun::End end = train_run(ranks, start, file, options.output);

  // 4. Compare.
  int same = 0;
  comm::run_and_agree(world, [&] {
    if (original && !end.finished) {
      print_line(fmt::format("then:                         mnist-dist compare {} {}", printable(options.run),
                             printable(start.folder->path().string())));
    }
    if (original && end.finished) same = print_verdict(*original, options.run, *start.folder) ? 1 : 0;
  });
  world.broadcast(std::span(&same, 1));
  comm::Environment::finalize();
  if (!end.finished) return static_cast<int>(ExitCode::stopped_early);
  return static_cast<int>(same != 0 ? ExitCode::done : ExitCode::other_bits);
}

}  // namespace

RunCommand add_reproduce_command(CLI::App& command) {
  const auto options = std::make_shared<ReproduceOptions>();
  command.add_option("RUN", options->run, "the folder of a finished run")->required();
  command.add_option("--data", options->data, "the data set, where it has moved (default: what its config.toml names)");
  command.add_option("-o,--output", options->output, "the new run's folder (default: runs/<UTC time>)");
  add_hang_timeout(command, options->hang_timeout);
  return [options] { return run_reproduce(*options); };
}

}  // namespace mnist_dist::cli
