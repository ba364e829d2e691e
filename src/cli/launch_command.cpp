#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "child_program.hpp"
#include "commands.hpp"
#include "launched_training.hpp"
#include "mnist_dist/core/allowed_values.hpp"
#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/nearest_word.hpp"
#include "mnist_dist/train/settings.hpp"
#include "mpirun.hpp"

namespace mnist_dist::cli {
namespace {

constexpr int kMostRestarts = 1000000;

// mpirun's own exit code, and ssh's, which mpirun hands on.
constexpr int kHostLost = 205;
constexpr int kConnectionLost = 255;

// Of a program that its host cannot load.
constexpr int kNotLoaded = 127;

// A host that takes longer to start a program that does nothing is taken for lost.
constexpr std::chrono::seconds kAnswer{30};

struct LaunchOptions {
  int ranks = 0;
  std::string hosts;
  int max_restarts = 3;
  Words command;
};

/// A word for a shell.
std::string quoted(const std::string& word) {
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("_./:=,+-@%").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!word.empty() && std::ranges::all_of(word, is_plain)) return word;
  return fmt::format("'{}'", CLI::detail::find_and_replace(word, "'", R"('\'')"));
}

/// Whether the command itself says so, and not mpirun or a signal.
bool is_own_code(const std::string& command, int code) {
  return std::ranges::any_of(codes_of(command), [&](ExitCode own) { return static_cast<int>(own) == code; });
}

/// Why there is an end before the end.
std::string reason_of(int code) {
  if (code == static_cast<int>(ExitCode::rank_failed)) return "a rank failed";
  if (code == kHostLost || code == kConnectionLost) return "mpirun lost a host";
  // Of a rank as a shell has it, of mpirun's process on another host as it is.
  const int signal = code > 128 ? code - 128 : code;
  if (const char* name = sigabbrev_np(signal)) return fmt::format("signal {} (SIG{}) ended a rank", signal, name);
  return fmt::format("mpirun ended with code {}", code);
}

/// What its user can do, where there is something to go on from.
std::string by_hand(const Training& training) {
  return training.has_begun() ? "; go on with: mnist-dist train --resume " + training.name() : "";
}

class Launch {
 public:
  explicit Launch(const LaunchOptions& options)
      : options_(options), ranks_(options.ranks), hosts_(parse_hosts(options.hosts, options.ranks)) {}

  int run();

 private:
  int start(const Words& command);
  /// The exit code after a stop signal that has reached no rank, or not before it could be heard.
  int stopped(const Training* training);
  /// @return the exit code of a command on a host; 0 where a stop signal keeps it from being run
  int ask(const HostSlots& host, const Words& command, std::string& printed);
  /// Leaves them away. @return their names
  Words leave_lost_hosts();
  /// @throws Error (rank_failed) naming a host that cannot load the program, and what is missing there
  void check_program();
  /// Checks that it makes sense to go on, and says that it goes on. @throws Error (rank_failed)
  void prepare_restart(const Training& training, const std::string& reason, const Words& lost_hosts);
  void wait_for_last_ranks(const Training& training);

  const LaunchOptions& options_;
  const std::string program_ = std::filesystem::read_symlink("/proc/self/exe");
  ChildPrograms programs_;
  int ranks_;
  std::vector<HostSlots> hosts_;
  int restarts_ = 0;
  std::optional<std::int64_t> failed_after_;  // the newest checkpoint's step at the last failure
};

int Launch::start(const Words& command) {
  Words words = mpirun_words(ranks_, hosts_, usable_cores());
  words.push_back(program_);
  words.insert(words.end(), command.begin(), command.end());
  Words shown(words.size());
  std::ranges::transform(words, shown.begin(), quoted);
  fmt::print(stderr, "mnist-dist: {}\n", fmt::join(shown, " "));
  return programs_.run(words);
}

int Launch::stopped(const Training* training) {
  const bool can_go_on = training != nullptr && training->has_begun();
  return can_go_on ? static_cast<int>(ExitCode::stopped_early) : 128 + programs_.stop_signal();
}

int Launch::ask(const HostSlots& host, const Words& command, std::string& printed) {
  if (programs_.stop_signal() != 0) return 0;
  Words words = mpirun_words(1, {host}, usable_cores());
  words.insert(words.end(), command.begin(), command.end());
  return programs_.run(words, kAnswer, &printed);
}

Words Launch::leave_lost_hosts() {
  Words lost;
  std::string unread;
  for (const HostSlots& host : hosts_) {
    if (ask(host, {"true"}, unread) != 0) lost.push_back(host.name);
  }
  std::erase_if(hosts_, [&](const HostSlots& host) { return std::ranges::find(lost, host.name) != lost.end(); });
  return lost;
}

void Launch::check_program() {
  for (const HostSlots& host : hosts_) {
    std::string printed;
    if (ask(host, {program_, "--version"}, printed) != kNotLoaded) continue;
    const std::string_view before = "shared libraries: ";  // which the loader says, and then their names
    const std::size_t found = printed.find(before);
    const std::size_t begin = found == std::string::npos ? 0 : found + before.size();
    throw Error(ExitCode::rank_failed,
                fmt::format("{} cannot load {}: {}; install there what the README's \"Installing\" names", host.name,
                            printable(program_), printable(printed.substr(begin, printed.find('\n', begin) - begin))));
  }
}

void Launch::prepare_restart(const Training& training, const std::string& reason, const Words& lost_hosts) {
  if (restarts_ == options_.max_restarts) {
    throw Error(ExitCode::rank_failed, fmt::format("{}, after {} (--max-restarts){}", reason,
                                                   counted(restarts_, "restart"), by_hand(training)));
  }
  const std::optional<std::int64_t> step = training.newest_step();
  const std::string place = step ? fmt::format("step {} of {}", *step, training.name()) : "the beginning";
  if (restarts_ > 0 && step == failed_after_) {
    throw Error(ExitCode::rank_failed,
                fmt::format("{}, twice without a checkpoint after {}: it would fail there again", reason, place));
  }
  if (!lost_hosts.empty()) {
    const int slots = std::accumulate(hosts_.begin(), hosts_.end(), 0,
                                      [](int sum, const HostSlots& host) { return sum + host.slots; });
    if (slots == 0) throw Error(ExitCode::rank_failed, fmt::format("{}: no host is left{}", reason, by_hand(training)));
    ranks_ = std::min(ranks_, slots);
  }
  failed_after_ = step;
  ++restarts_;
  log_warning(fmt::format("{}: restart {} of {}, with {} from {}", reason, restarts_, options_.max_restarts,
                          counted(ranks_, "rank"), place));
}

void Launch::wait_for_last_ranks(const Training& training) {
  // Ranks that have lost the others and their mpirun end after ten times the --hang-timeout, and 10 s for each rank.
  const std::chrono::seconds limit = 10 * training.hang_timeout() + std::chrono::seconds(10) * (ranks_ + 1);
  const auto begin = std::chrono::steady_clock::now();
  const auto passed = [&](std::chrono::seconds time) { return std::chrono::steady_clock::now() - begin > time; };
  bool told = false;
  const bool ends = training.hang_timeout().count() > 0;
  const auto gives_up = [&] { return ends && passed(limit); };
  while (programs_.stop_signal() == 0 && training.is_written() && !gives_up()) {
    programs_.pause(std::chrono::milliseconds(200));
    if (!told && passed(kAnswer)) {
      const char* end = ends ? "it ends after ten times its --hang-timeout" : "end it where it does not";
      log_warning(fmt::format("waiting for a rank that still writes {}: {}", training.name(), end));
      told = true;
    }
  }
}

int Launch::run() {
  do_without_silent_munge();
  const std::unique_ptr<Training> training = Training::of(options_.command, ranks_);
  if (const int cores = usable_cores().number;
      hosts_.empty() && ranks_ > cores && std::getenv("SLURM_JOB_ID") == nullptr) {
    log_warning(fmt::format("{} take turns on {}: more than {} are hardly faster", counted(ranks_, "rank"),
                            counted(cores, "core"), cores));
  }
  while (programs_.stop_signal() == 0) {
    const int code = start(training ? training->words() : options_.command);
    const bool is_own = is_own_code(options_.command.front(), code);
    if (const int signal = programs_.stop_signal(); signal != 0) {
      return is_own ? code : programs_.was_hurried() ? 128 + signal : stopped(training.get());
    }
    const bool failed = code == static_cast<int>(ExitCode::rank_failed);
    if (is_own && !(failed && training && options_.max_restarts > 0)) return code;
    const Words lost = leave_lost_hosts();
    if (programs_.stop_signal() != 0) break;  // it may have ended a host's answer
    if (restarts_ == 0 && !lost.empty() && !(training && training->has_begun())) {
      throw Error(
          ExitCode::rank_failed,
          fmt::format("{0} does not answer: does `ssh {0} true` work, without a password?", printable(lost.front())));
    }
    if (code == kNotLoaded) check_program();
    if (programs_.stop_signal() != 0) break;  // it may have ended a host's answer
    if (code == EXIT_FAILURE && lost.empty()) {
      throw Error(ExitCode::rank_failed,
                  "mpirun did not start, or somebody ended it: call it as above, without --quiet, and it tells why" +
                      (training ? by_hand(*training) : ""));
    }
    std::string reason = reason_of(code);
    if (!lost.empty()) reason += fmt::format(", and {} does not answer", fmt::join(lost, ", "));
    if (!training) throw Error(ExitCode::rank_failed, reason);
    prepare_restart(*training, reason, lost);
    wait_for_last_ranks(*training);
  }
  return stopped(training.get());
}

int run_launch(const LaunchOptions& options) {
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK"}) {
    if (std::getenv(variable) == nullptr) continue;
    throw Error(ExitCode::usage, "launch starts mpirun itself: call it without mpirun and srun");
  }
  const std::vector<std::string> known = parallel_commands();
  if (const std::string& name = options.command.front(); std::ranges::find(known, name) == known.end()) {
    throw Error(ExitCode::usage, fmt::format("launch starts {}, and not '{}'{}", fmt::join(known, ", "),
                                             printable(name), did_you_mean(name, known)));
  }
  return Launch(options).run();
}

}  // namespace

RunCommand add_launch_command(CLI::App& command) {
  const auto options = std::make_shared<LaunchOptions>();
  command
      .add_option("COMMAND", options->command,
                  fmt::format("what the ranks run: {}", fmt::join(parallel_commands(), ", ")))
      ->required();
  command.add_option("-n,--np", options->ranks, "the number of ranks; -np does, too")
      ->required()
      ->check(whole_number(1, train::kMostShards));
  command.add_option(
      "--hosts", options->hosts,
      "hosts such as a,b or a:4,b:8, with the ranks that each takes (default: this machine, or what Slurm "
      "has allocated)");
  command
      .add_option("--max-restarts", options->max_restarts,
                  "how often a training goes on from its newest checkpoint, without a host that no longer answers")
      ->check(whole_number(0, kMostRestarts))
      ->capture_default_str();
  return [options] { return run_launch(*options); };
}

}  // namespace mnist_dist::cli
