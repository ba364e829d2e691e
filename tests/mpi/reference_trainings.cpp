#include "reference_trainings.hpp"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>

#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/h5/file.hpp"

using namespace mnist_dist;

namespace {

double number_or_nan(const nlohmann::json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

std::vector<std::uint8_t> bytes_of_hex(const std::string& hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

/// The test images are the training images.
void write_dataset(const nlohmann::json& content, const std::filesystem::path& path) {
  const auto height = content.at("height").get<std::size_t>();
  const auto width = content.at("width").get<std::size_t>();
  const auto images = bytes_of_hex(content.at("images").get<std::string>());
  const auto labels = content.at("labels").get<std::vector<std::int32_t>>();
  std::vector<std::string> names;
  for (std::size_t row = 0; row < labels.size(); ++row) names.push_back(std::to_string(row));
  std::vector<std::string> classes;
  for (int label = 0; label < content.at("classes").get<int>(); ++label) classes.push_back(std::to_string(label));
  h5::File file = h5::File::create(path, path.string());
  file.write_attribute("format", std::string(data::kDatasetFormat));
  file.write_attribute("format_version", data::kDatasetFormatVersion);
  file.write_attribute("content_sha256", std::string("0"));
  file.write_strings("/classes", classes);
  for (const std::string split : {"/train", "/test"}) {
    file.write(split + "/images", std::span<const std::uint8_t>(images), {labels.size(), height, width});
    file.write(split + "/labels", std::span<const std::int32_t>(labels), {labels.size()});
    file.write_strings(split + "/names", names);
  }
  for (const char* name : {"mean", "standard_deviation"}) {
    const auto values = content.at(name).get<std::vector<float>>();
    file.write(std::string("/train/") + name, std::span<const float>(values), {height, width});
  }
  file.close();
}

ReferenceTraining training_of(const nlohmann::json& content) {
  ReferenceTraining training;
  training.name = content.at("name").get<std::string>();
  training.settings = train::settings_from_toml(content.at("settings").get<std::string>(), training.name);
  for (const nlohmann::json& epoch : content.at("epochs")) {
    training.epochs.push_back({epoch.at(0).get<double>(), number_or_nan(epoch.at(1)), number_or_nan(epoch.at(2))});
  }
  training.parameters = content.at("parameters").get<std::vector<double>>();
  if (content.contains("average")) training.average = content.at("average").get<std::vector<double>>();
  return training;
}

}  // namespace

const ReferenceTraining& ReferenceTrainings::named(const std::string& name) const {
  const auto found = std::ranges::find(all, name, &ReferenceTraining::name);
  if (found == all.end()) throw std::out_of_range("no reference training " + name);
  return *found;
}

ReferenceTrainings read_reference_trainings(const std::filesystem::path& path) {
  std::ifstream file(std::filesystem::path(REFERENCE_DATA) / "trainings.json");
  const nlohmann::json content = nlohmann::json::parse(file);
  write_dataset(content, path);
  ReferenceTrainings trainings;
  trainings.tolerance = content.at("tolerance").get<double>();
  trainings.standard_deviation = content.at("standard_deviation").get<std::vector<double>>();
  for (const nlohmann::json& training : content.at("cases")) trainings.all.push_back(training_of(training));
  return trainings;
}
