#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "commands.hpp"
#include "doctor/findings.hpp"
#include "doctor/gathering.hpp"
#include "job.hpp"
#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/core/build_info.hpp"
#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/processors.hpp"
#include "mnist_dist/data/dataset_guard.hpp"
#include "mnist_dist/nn/architecture.hpp"
#include "mnist_dist/nn/arithmetic.hpp"
#include "mnist_dist/report/text_table.hpp"
#include "mnist_dist/run/free_space.hpp"
#include "mnist_dist/run/run_folder.hpp"
#include "mnist_dist/train/memory_estimate.hpp"
#include "mnist_dist/train/recipe_scaling.hpp"
#include "mnist_dist/train/settings.hpp"
#include "mnist_dist/train/training_data.hpp"
#include "settings_flags.hpp"

namespace mnist_dist::cli {
namespace {

struct DoctorOptions {
  SettingsFlags settings;
  std::string output = "runs";
  const CLI::Option* output_option = nullptr;  // without it, `train` makes a new folder in that one
  int hang_timeout = comm::kHangTimeout;
};

/// How many ranks the launcher has started, before MPI changes what it says. A job of Slurm's has SLURM_NTASKS in its
/// batch script, too; tasks of srun's that are each alone are refused when MPI starts.
int announced_ranks() {
  for (const char* variable : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    if (const char* ranks = std::getenv(variable)) return std::atoi(ranks);
  }
  return 1;
}

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

/// Local: opens the data set at the first rank of a host; what the job needs there comes of it.
/// @param run_bytes of a run's folder
void look_at_data(const Ranks& ranks, const ResolvedSettings& resolved, doctor::HostFacts& facts, double& run_bytes) {
  const std::string& path = resolved.settings.data;
  try {
    check_data_there(path);
    data::check_dataset_file(path);
    const data::DatasetFile file(path);
    facts.content_sha256 = file.content_sha256();
    const train::Settings settings = train::scaled_to_data(resolved.settings, resolved.of_recipe, train::size_of(file));
    const nn::Architecture network = train::architecture_for(settings, file);
    run_bytes = static_cast<double>(run::bytes_of_run(settings, network));
    if (ranks.world.size() > static_cast<int>(settings.shards)) return;  // a finding of its own
    const train::MemoryEstimate estimate = train::estimate_memory(settings, network, file.rows(data::Split::training),
                                                                  ranks.world.size(), ranks.host.size());
    facts.memory_needed = estimate.total();
    // One copy of the parameters is shared, and so is all that a step computes.
    facts.shared_memory_needed += sizeof(float) * static_cast<double>(nn::padded_size(network)) + estimate.activations;
  } catch (const Error& error) {
    facts.data_error = error.what();
  }
}

/// Local. @return why `train` would begin no run there; "" where it would
std::string run_there(const std::string& folder) {
  try {
    run::RunFolder::check_holds_no_run(folder);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

/// Collective. @return at the first rank of a host: what it knows of it; nowhere else
std::optional<doctor::HostFacts> facts_of_host(const Ranks& ranks, const train::Settings& settings) {
  constexpr double kOpenMpiBytes = 4 << 20;  // that each rank takes of /dev/shm (btl_vader_segment_size)
  doctor::RankFacts mine{.rank = ranks.world.rank_of_launcher(ranks.world.rank()),
                         .cpus = usable_cpus(),
                         .arithmetic = nn::arithmetic(train::products_of(settings)),
                         .reading_error = doctor::try_reading(ranks.host)};
  const std::vector<std::string> texts = gather_texts(ranks.host, doctor::to_text(mine));
  if (ranks.host.rank() != 0) return std::nullopt;
  doctor::HostFacts facts = doctor::look_at_host();
  facts.slow_blas = slow_blas();
  facts.shared_memory_needed = ranks.host.size() > 1 ? kOpenMpiBytes * ranks.host.size() : 0;
  for (const std::string& text : texts) doctor::from_text(text, facts.ranks.emplace_back());
  return facts;
}

/// Collective. @return at rank 0: all but what the launcher said
doctor::JobFacts gather_facts(const Ranks& ranks, const ResolvedSettings& resolved, const std::string& output) {
  doctor::JobFacts job;
  job.ranks = ranks.world.size();
  std::optional<doctor::HostFacts> mine = facts_of_host(ranks, resolved.settings);
  const comm::Communicator hosts = ranks.world.split(mine ? 0 : 1);
  if (!mine) return job;
  try {
    train::check_shards(resolved.settings, job.ranks);
  } catch (const Error& error) {
    job.shards_error = error.what();
  }
  double run_bytes = 0;
  int looks = resolved.given.contains("data") || is_there(resolved.settings.data) ? 1 : 0;
  hosts.broadcast(std::span(&looks, 1));
  if (looks == 1) look_at_data(ranks, resolved, *mine, run_bytes);
  if (looks == 0) job.missing_data = resolved.settings.data;
  job.folder = doctor::try_folder(hosts, output, *mine);
  job.folder.needed = run_bytes;
  for (const std::string& text : gather_texts(hosts, doctor::to_text(*mine))) {
    doctor::from_text(text, job.hosts.emplace_back());
  }
  const std::vector<double> ahead = doctor::compare_clocks(hosts);
  for (std::size_t i = 0; i < ahead.size(); ++i) job.hosts[i].seconds_ahead = ahead[i];
  job.links = doctor::measure_links(hosts);
  return job;
}

/// Up to eight hosts have all their links told, others the slowest one.
void print_links(doctor::JobFacts& job) {
  constexpr std::size_t kFew = 28;
  if (job.links.empty()) return;
  const bool are_few = job.links.size() <= kFew;
  std::ranges::sort(job.links, std::ranges::greater(), &doctor::LinkFacts::seconds);
  report::TextTable table({are_few ? "link" : fmt::format("slowest of {} links", job.links.size()), "us", "MB/s"});
  for (const doctor::LinkFacts& link : std::span(job.links).first(are_few ? job.links.size() : 1)) {
    table.add_row({fmt::format("{} - {}", job.hosts[static_cast<std::size_t>(link.one)].name,
                               job.hosts[static_cast<std::size_t>(link.other)].name),
                   fmt::format("{:.0f}", 1e6 * link.latency), fmt::format("{:.4g}", link.bytes_per_second / 1e6)});
  }
  print_line("\n" + table.text());
}

void print_findings(const doctor::Findings& findings, const Ranks& ranks) {
  const auto problems = std::ranges::count(findings, true, &doctor::Finding::is_problem);
  const auto notes = static_cast<std::ptrdiff_t>(findings.size()) - problems;
  for (const bool is_problem : {true, false}) {
    for (const doctor::Finding& finding : findings) {
      if (finding.is_problem == is_problem) print_line((is_problem ? "problem  " : "note     ") + finding.text);
    }
  }
  print_line(fmt::format("{}: {} on {}{}", problems == 0 ? "healthy" : counted(problems, "problem"),
                         counted(ranks.world.size(), "rank"), counted(ranks.hosts, "host"),
                         notes == 0 ? "" : ", " + counted(notes, "note")));
}

int run_doctor(const DoctorOptions& options) {
  // 1. Ask what the launcher says, which MPI changes, and start MPI.
  const int announced = announced_ranks();
  const bool is_first = comm::rank_by_launcher() == 0;
  const bool by_mpirun = std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr;
  const comm::Environment environment(options.hang_timeout);
  check_same_command("doctor");
  const Ranks ranks;
  const bool speaks = is_first && ranks.world.rank() == 0;
  ResolvedSettings resolved;
  comm::run_and_agree(ranks.world, [&] { resolved = resolve_settings(options.settings); });

  // 2. Look.
  doctor::JobFacts job = gather_facts(ranks, resolved, options.output);
  job.announced = announced;
  job.by_mpirun = by_mpirun;

  // 3. Judge.
  int healthy = 1;
  comm::run_and_agree(ranks.world, [&] {
    if (ranks.world.rank() != 0) return;
    const bool names_folder = options.output_option->count() > 0;
    if (names_folder && job.folder.error.empty()) job.folder.run_there = run_there(options.output);
    const doctor::Findings findings = doctor::findings_of(job);
    healthy = std::ranges::none_of(findings, &doctor::Finding::is_problem) ? 1 : 0;
    if (!speaks) return;
    print_line(build_description());
    for (const std::string& line : host_lines(ranks.by_host)) print_line("host     " + line);
    print_links(job);
    print_findings(findings, ranks);
  });
  ranks.world.broadcast(std::span(&healthy, 1));
  comm::Environment::finalize();
  return static_cast<int>(healthy == 1 ? ExitCode::done : ExitCode::unhealthy);
}

}  // namespace

RunCommand add_doctor_command(CLI::App& command) {
  const auto options = std::make_shared<DoctorOptions>();
  add_settings_flags(command, options->settings, {"init-from"});
  options->output_option = command.add_option("-o,--output", options->output, "the folder in which the run will be")
                               ->group("Files")
                               ->capture_default_str();
  add_hang_timeout(command, options->hang_timeout);
  return [options] { return run_doctor(*options); };
}

}  // namespace mnist_dist::cli
