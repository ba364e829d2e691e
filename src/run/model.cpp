#include "mnist_dist/run/model.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/core/sealed_bytes.hpp"
#include "mnist_dist/h5/file.hpp"
#include "mnist_dist/image/image.hpp"
#include "mnist_dist/image/png.hpp"
#include "mnist_dist/run/run_folder.hpp"
#include "mnist_dist/train/settings.hpp"

namespace mnist_dist::run {
namespace {

constexpr std::int64_t kFormatVersion = 3;

std::string weights_name(std::size_t layer) {
  return fmt::format("/layers/{}/weights", layer + 1);
}
std::string biases_name(std::size_t layer) {
  return fmt::format("/layers/{}/biases", layer + 1);
}

h5::Shape shape_of_image(const data::ImageShape& shape) {
  if (shape.channels == 1) return {shape.height, shape.width};
  return {shape.height, shape.width, shape.channels};
}

void write_layers(h5::File& file, const Model& model) {
  const std::vector<nn::Layer> layers = layers_of(model.architecture);
  std::span<const float> rest = model.parameters;
  const auto next = [&](std::size_t size) {
    const std::span<const float> values = rest.first(size);
    rest = rest.subspan(size);
    return values;
  };
  for (std::size_t i = 0; i < layers.size(); ++i) {
    file.write(weights_name(i), next(layers[i].inputs * layers[i].outputs), {layers[i].inputs, layers[i].outputs});
    file.write(biases_name(i), next(layers[i].outputs), {layers[i].outputs});
  }
}

void read_layers(const h5::File& file, const std::string& name, Model& model) {
  std::vector<std::size_t> sizes = {model.image_shape.size()};
  for (std::size_t i = 0; file.has(weights_name(i)); ++i) {
    const h5::Shape shape = file.shape(weights_name(i));
    if (shape.size() != 2 || shape[0] != sizes.back() || shape[1] == 0) {
      throw Error(ExitCode::bad_data, fmt::format("{}: {} does not fit the layer before it", name, weights_name(i)));
    }
    const std::vector<float> weights = file.read<float>(weights_name(i));
    const std::vector<float> biases = file.read<float>(biases_name(i), {shape[1]});
    model.parameters.insert(model.parameters.end(), weights.begin(), weights.end());
    model.parameters.insert(model.parameters.end(), biases.begin(), biases.end());
    sizes.push_back(shape[1]);
  }
  if (sizes.size() < 2 || sizes.back() != model.classes.size()) {
    throw Error(ExitCode::bad_data,
                fmt::format("{}: the layers do not end in its {} classes", name, model.classes.size()));
  }
  model.architecture.inputs = sizes.front();
  model.architecture.hidden.assign(sizes.begin() + 1, sizes.end() - 1);
  model.architecture.outputs = sizes.back();
}

data::ImageShape read_image_shape(const h5::File& file, const std::string& name) {
  std::array<std::size_t, 3> extents{};
  const std::array<const char*, 3> attributes = {"image_height", "image_width", "image_channels"};
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const std::int64_t value = file.integer_attribute(attributes[i]);
    if (value < 1) throw Error(ExitCode::bad_data, fmt::format("{}: {} is {}", name, attributes[i], value));
    extents[i] = static_cast<std::size_t>(value);
  }
  const auto [height, width, channels] = extents;
  const std::string fault = channels != 1 && channels != 3 ? fmt::format("{} channels; they have 1 or 3", channels)
                                                           : image::size_fault(width, height);
  if (!fault.empty()) throw Error(ExitCode::bad_data, fmt::format("{}: it is for images of {}", name, fault));
  return {height, width, channels};
}

nn::Activation read_activation(const h5::File& file, const std::string& name) {
  const std::string found = file.string_attribute("activation");
  if (const std::optional<nn::Activation> activation = value_of(nn::kActivations, found)) return *activation;
  throw Error(ExitCode::bad_data,
              fmt::format("{}: its activation `{}` is none that this program knows; a newer mnist-dist may know it",
                          name, printable(found)));
}

void read_holdout(const h5::File& file, const std::string& name, Model& model) {
  if (!file.has_attribute("holdout")) return;
  model.holdout = file.real_attribute("holdout");
  model.seed = static_cast<std::uint64_t>(file.integer_attribute("seed"));
  if (!(*model.holdout >= 0 && *model.holdout < 1)) {
    throw Error(ExitCode::bad_data, fmt::format("{}: holdout is {}, no share of the rows", name, *model.holdout));
  }
}

}  // namespace

std::filesystem::path model_file(std::filesystem::path path) {
  if (path.empty()) path = newest_run();
  if (std::filesystem::is_directory(path)) path /= "model.h5";
  return path;
}

std::string data_of_model(const std::filesystem::path& path) {
  const std::filesystem::path config = path.parent_path() / "config.toml";
  std::error_code ignored;
  if (!std::filesystem::exists(config, ignored)) return train::Settings{}.data;
  return train::settings_from_toml(read_text_file(config), printable(config.string())).data;
}

void save_model(const Model& model, const std::filesystem::path& path) {
  h5::File file = h5::File::create_in_memory(path.string());
  file.write_attribute("format", std::string(kModelFormat));
  file.write_attribute("format_version", kFormatVersion);
  file.write_attribute("leaky_relu_slope", static_cast<double>(model.architecture.leaky_relu_slope));
  file.write_attribute("activation", name_of(nn::kActivations, model.architecture.activation));
  file.write_attribute("image_height", static_cast<std::int64_t>(model.image_shape.height));
  file.write_attribute("image_width", static_cast<std::int64_t>(model.image_shape.width));
  file.write_attribute("image_channels", static_cast<std::int64_t>(model.image_shape.channels));
  file.write_attribute("dataset_sha256", model.dataset_sha256);
  file.write_attribute("epoch", model.epoch);
  file.write_attribute("score", model.score);
  file.write_attribute("build", model.build);
  file.write_attribute("arithmetic", model.arithmetic);
  if (model.holdout) {
    file.write_attribute("holdout", *model.holdout);
    file.write_attribute("seed", static_cast<std::int64_t>(model.seed));
  }
  file.write_strings("/classes", model.classes);
  file.write("/mean", std::span<const float>(model.mean), shape_of_image(model.image_shape));
  file.write("/standard_deviation", std::span<const float>(model.standard_deviation),
             shape_of_image(model.image_shape));
  write_layers(file, model);
  std::vector<std::byte> bytes = file.image();
  seal(bytes);
  write_file_atomically(path, bytes);
}

Model load_model(const std::filesystem::path& path) {
  return decode_model(read_file(path), path);
}

Model decode_model(std::span<const std::byte> bytes, const std::filesystem::path& path) {
  const std::string name = printable(path.string());
  if (!is_sealed_whole(bytes)) {  // HDF5 does not survive every damage
    throw Error(ExitCode::bad_data, fmt::format("{} is damaged, or no model: it does not end in the SHA-256 of its "
                                                "bytes; `mnist-dist train` writes one as model.h5 into its run folder",
                                                name));
  }
  const h5::File file = h5::File::open_image(bytes, path.string());
  if (!file.has_attribute("format") || file.string_attribute("format") != kModelFormat) {
    throw Error(ExitCode::bad_data,
                fmt::format("{} is not a model; `mnist-dist train` writes one as model.h5 into its run folder", name));
  }
  if (const std::int64_t found = file.integer_attribute("format_version"); found != kFormatVersion) {
    throw Error(ExitCode::bad_data,
                fmt::format("{} has format version {}, this program reads version {}", name, found, kFormatVersion));
  }
  Model model;
  model.architecture.leaky_relu_slope = static_cast<float>(file.real_attribute("leaky_relu_slope"));
  model.architecture.activation = read_activation(file, name);
  model.image_shape = read_image_shape(file, name);
  model.dataset_sha256 = printable(file.string_attribute("dataset_sha256"));
  model.epoch = file.integer_attribute("epoch");
  model.score = file.real_attribute("score");
  model.build = printable(file.string_attribute("build"));
  model.arithmetic = printable(file.string_attribute("arithmetic"));
  read_holdout(file, name, model);
  model.classes = file.read_strings("/classes");
  model.mean = file.read<float>("/mean", shape_of_image(model.image_shape));
  model.standard_deviation = file.read<float>("/standard_deviation", shape_of_image(model.image_shape));
  read_layers(file, name, model);
  return model;
}

}  // namespace mnist_dist::run
