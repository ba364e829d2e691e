#include "mnist_dist/run/checkpoint.hpp"

#include <fmt/format.h>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/sealed_bytes.hpp"
#include "mnist_dist/h5/file.hpp"

namespace mnist_dist::run {
namespace {

constexpr std::int64_t kFormatVersion = 3;

/// Calls visit(name, member) for every column of the history.
template <class Visit>
void visit_columns(Visit&& visit) {
  visit("epoch", &train::EpochMetrics::epoch);
  visit("score", &train::EpochMetrics::score);
  visit("loss", &train::EpochMetrics::loss);
  visit("accuracy", &train::EpochMetrics::accuracy);
  visit("seconds", &train::EpochMetrics::seconds);
  visit("rows", &train::EpochMetrics::rows);
  visit("steps", &train::EpochMetrics::steps);
}

template <class T>
void write_vector(h5::File& file, const std::string& name, const std::vector<T>& values) {
  file.write(name, std::span<const T>(values), {values.size()});
}

void write_history(h5::File& file, const std::vector<train::EpochMetrics>& history) {
  visit_columns([&]<class T>(const char* name, T train::EpochMetrics::*member) {
    std::vector<T> column;
    column.reserve(history.size());
    for (const train::EpochMetrics& epoch : history) column.push_back(epoch.*member);
    write_vector(file, fmt::format("/history/{}", name), column);
  });
}

std::vector<train::EpochMetrics> read_history(const h5::File& file, std::size_t epochs) {
  std::vector<train::EpochMetrics> history;
  visit_columns([&]<class T>(const char* name, T train::EpochMetrics::*member) {
    const std::vector<T> column = file.read<T>(fmt::format("/history/{}", name), {epochs});
    history.resize(epochs);
    for (std::size_t i = 0; i < epochs; ++i) history[i].*member = column[i];
  });
  return history;
}

/// What the rest of the program relies on, and a file that another program changed may not hold.
void check_parts(const Checkpoint& checkpoint, const std::string& name) {
  const auto fail = [&](const char* what) {
    throw Error(ExitCode::bad_data, fmt::format("{}: {}; start a new run", name, what));
  };
  std::int64_t number = 0;
  for (const train::EpochMetrics& epoch : checkpoint.history) {
    if (epoch.epoch != ++number) fail("the epochs of /history/epoch are not 1, 2, 3 and so on");
  }
  if (!checkpoint.history.empty() && checkpoint.best_parameters.size() != checkpoint.state.parameters.size()) {
    fail("/best_parameters and /parameters differ in size");
  }
}

}  // namespace

std::vector<std::byte> encode_checkpoint(const Checkpoint& checkpoint) {
  h5::File file = h5::File::create_in_memory("checkpoint");
  file.write_attribute("format", std::string(kCheckpointFormat));
  file.write_attribute("format_version", kFormatVersion);
  file.write_attribute("settings", checkpoint.settings);
  file.write_attribute("dataset_sha256", checkpoint.dataset_sha256);
  file.write_attribute("build", checkpoint.build);
  file.write_attribute("arithmetic", checkpoint.arithmetic);
  file.write_attribute("epochs_done", checkpoint.state.epochs_done);
  file.write_attribute("steps_done", checkpoint.state.steps_done);
  file.write_attribute("steps_done_in_epoch", checkpoint.state.steps_done_in_epoch);
  file.write_attribute("seconds_in_epoch", checkpoint.state.seconds_in_epoch);
  write_vector(file, "/shard_losses", checkpoint.state.shard_losses);
  write_vector(file, "/parameters", checkpoint.state.parameters);
  write_vector(file, "/first_moment", checkpoint.state.first_moment);
  write_vector(file, "/second_moment", checkpoint.state.second_moment);
  write_vector(file, "/average", checkpoint.state.average);
  write_vector(file, "/best_parameters", checkpoint.best_parameters);
  write_history(file, checkpoint.history);
  std::vector<std::byte> bytes = file.image();
  file.close();  // its memory, before the bytes need more
  seal(bytes);
  return bytes;
}

Checkpoint decode_checkpoint(std::span<const std::byte> bytes, const std::string& name) {
  const h5::File file = h5::File::open_image(bytes, name);
  if (!file.has_attribute("format") || file.string_attribute("format") != kCheckpointFormat) {
    throw Error(ExitCode::bad_data, fmt::format("{} is not a checkpoint", name));
  }
  if (const std::int64_t found = file.integer_attribute("format_version"); found != kFormatVersion) {
    throw Error(ExitCode::bad_data,
                fmt::format("{} has format version {}, this program reads version {}", name, found, kFormatVersion));
  }
  Checkpoint checkpoint;
  checkpoint.settings = file.string_attribute("settings");
  checkpoint.dataset_sha256 = printable(file.string_attribute("dataset_sha256"));
  checkpoint.build = printable(file.string_attribute("build"));
  checkpoint.arithmetic = printable(file.string_attribute("arithmetic"));
  checkpoint.state.epochs_done = file.integer_attribute("epochs_done");
  checkpoint.state.steps_done = file.integer_attribute("steps_done");
  checkpoint.state.steps_done_in_epoch = file.integer_attribute("steps_done_in_epoch");
  checkpoint.state.seconds_in_epoch = file.real_attribute("seconds_in_epoch");
  checkpoint.state.shard_losses = file.read<double>("/shard_losses");
  checkpoint.state.parameters = file.read<float>("/parameters");
  checkpoint.state.first_moment = file.read<float>("/first_moment");
  checkpoint.state.second_moment = file.read<float>("/second_moment");
  checkpoint.state.average = file.read<float>("/average");
  checkpoint.best_parameters = file.read<float>("/best_parameters");
  checkpoint.history = read_history(file, static_cast<std::size_t>(checkpoint.state.epochs_done));
  check_parts(checkpoint, printable(name));
  return checkpoint;
}

}  // namespace mnist_dist::run
