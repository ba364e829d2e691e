// Models: whole files that were made elsewhere, with their seal made right, or a model that OddFile edits. What is
// taken must predict.
#include <fuzzer/FuzzedDataProvider.h>

#include "fuzz_target.hpp"
#include "mnist_dist/data/image_reader.hpp"
#include "mnist_dist/nn/network.hpp"
#include "mnist_dist/run/model.hpp"
#include "odd_file.hpp"

using namespace mnist_dist;

namespace {

std::vector<std::byte> odd_model(FuzzedDataProvider& choices) {
  fuzz::OddFile file(choices);
  file.attribute("format", std::string("mnist-dist model"));
  file.attribute("format_version", std::int64_t{3});
  file.attribute("leaky_relu_slope", 0.1);
  file.attribute("activation", std::string("leaky-relu"));
  file.attribute("image_height", std::int64_t{3});
  file.attribute("image_width", std::int64_t{2});
  const bool colour = choices.ConsumeBool();
  file.attribute("image_channels", colour ? std::int64_t{3} : std::int64_t{1});
  file.attribute("dataset_sha256", std::string("abc"));
  file.attribute("epoch", std::int64_t{1});
  file.attribute("score", 0.5);
  file.attribute("build", std::string("build"));
  file.attribute("arithmetic", std::string("core"));
  file.strings("/classes", {"a", "b", "c", "d"});
  const h5::Shape image = colour ? h5::Shape{3, 2, 3} : h5::Shape{3, 2};
  const std::size_t inputs = colour ? 18 : 6;
  file.numbers("/mean", image, 1.0F);
  file.numbers("/standard_deviation", image, 2.0F);
  file.numbers("/layers/1/weights", {inputs, 5}, 0.0F);
  file.numbers("/layers/1/biases", {5}, 0.0F);
  file.numbers("/layers/2/weights", {5, 4}, 0.0F);
  file.numbers("/layers/2/biases", {4}, 0.0F);
  return file.sealed();
}

void predict(const run::Model& model) {
  fuzz::require_printable({model.dataset_sha256, model.build, model.arithmetic});
  const nn::Network network(model.architecture, nn::standardizing(model.mean, model.standard_deviation));
  const std::vector<float> parameters = nn::with_padding(model.architecture, model.parameters);
  nn::Workspace workspace(model.architecture, 1);
  const std::vector<std::uint8_t> pixels = data::fit_to_shape({2, 2, 1, {0, 1, 128, 255}}, model.image_shape);
  fuzz::require(pixels.size() == model.architecture.inputs, "an image does not fit the network");
  const std::uint8_t* const row = pixels.data();
  const std::size_t rows = 1;
  network.load(std::span(&row, 1), std::span(&rows, 1), workspace);
  network.predict(parameters, workspace);
  fuzz::require(workspace.logits().row(0).size() == model.classes.size(), "another number of classes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider choices(data, size);
  const std::vector<std::byte> bytes =
      fuzz::is_whole_file({data, size}) ? fuzz::sealed_anew({data, size}) : odd_model(choices);
  fuzz::read_anything({ExitCode::bad_data}, [&] { predict(run::decode_model(bytes, "model.h5")); });
  return 0;
}
