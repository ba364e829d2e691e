// Models and checkpoints that are whole by their own hash, but hold what no training writes.
#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "message_of.hpp"
#include "mnist_dist/core/sealed_bytes.hpp"
#include "mnist_dist/h5/file.hpp"
#include "mnist_dist/run/checkpoint.hpp"
#include "mnist_dist/run/model.hpp"

using namespace mnist_dist;

namespace {

struct ModelParts {
  std::map<std::string, std::int64_t> image = {{"image_height", 1}, {"image_width", 1}, {"image_channels", 1}};
  h5::Shape image_shape = {1, 1};
  std::size_t hidden = 1;
};

std::string model_error(const std::function<void(ModelParts&)>& change) {
  ModelParts parts;
  change(parts);
  h5::File file = h5::File::create_in_memory("model.h5");
  const auto write = [&](const std::string& name, const h5::Shape& shape) {
    std::size_t size = 1;
    for (const std::size_t extent : shape) size *= extent;
    file.write<float>(name, std::vector<float>(size, 1.0F), shape);
    return size;
  };
  file.write_attribute("format", std::string(run::kModelFormat));
  file.write_attribute("format_version", std::int64_t{3});
  file.write_attribute("leaky_relu_slope", 0.25);
  file.write_attribute("activation", std::string("relu"));
  for (const auto& [name, value] : parts.image) file.write_attribute(name, value);
  file.write_attribute("epoch", std::int64_t{1});
  file.write_attribute("score", 0.5);
  for (const char* name : {"dataset_sha256", "build", "arithmetic"}) file.write_attribute(name, std::string("x"));
  file.write_strings("/classes", std::vector<std::string>{"cat", "dog"});
  write("/standard_deviation", parts.image_shape);
  const std::size_t inputs = write("/mean", parts.image_shape);
  write("/layers/1/weights", {inputs, parts.hidden});
  write("/layers/1/biases", {parts.hidden});
  write("/layers/2/weights", {parts.hidden, 2});
  write("/layers/2/biases", {2});
  std::vector<std::byte> bytes = file.image();
  seal(bytes);
  return message_of(ExitCode::bad_data, [&] { (void)run::decode_model(bytes, "model.h5"); });
}

std::string checkpoint_error(const std::function<void(run::Checkpoint&)>& change) {
  run::Checkpoint checkpoint;
  checkpoint.state.epochs_done = 2;
  checkpoint.state.parameters = checkpoint.best_parameters = {1, 2};
  checkpoint.history.resize(2);
  checkpoint.history[0].epoch = 1;
  checkpoint.history[1].epoch = 2;
  change(checkpoint);
  const std::vector<std::byte> bytes = run::encode_checkpoint(checkpoint);
  return message_of(ExitCode::bad_data, [&] { (void)run::decode_checkpoint(bytes, "x.h5"); });
}

}  // namespace

TEST_CASE("a model for images that there are none of is refused") {
  CHECK(model_error([](ModelParts&) {}) == "no error");
  CHECK(model_error([](ModelParts& parts) {
          parts.image["image_channels"] = 3;
          parts.image_shape = {1, 1, 3};
        }) == "no error");
  // An image has one channel or three: a network of two would read past its end.
  CHECK(model_error([](ModelParts& parts) {
          parts.image["image_channels"] = 2;
          parts.image_shape = {1, 1, 2};
        }) == "model.h5: it is for images of 2 channels; they have 1 or 3");
  CHECK(model_error([](ModelParts& parts) {
          parts.image["image_height"] = 0;
          parts.image_shape = {0, 1};
        }) == "model.h5: image_height is 0");
  CHECK(model_error([](ModelParts& parts) { parts.image["image_width"] = -1; }) == "model.h5: image_width is -1");
  CHECK(model_error([](ModelParts& parts) { parts.image["image_width"] = 1LL << 40; }) ==
        "model.h5: it is for images of 1099511627776x1 pixels; the limit is 16777216 pixels in all");
}

TEST_CASE("a model with a layer of no units is refused") {
  CHECK(model_error([](ModelParts& parts) { parts.hidden = 0; }) ==
        "model.h5: /layers/1/weights does not fit the layer before it");
}

TEST_CASE("a checkpoint whose history is not that of its epochs is refused") {
  CHECK(checkpoint_error([](run::Checkpoint&) {}) == "no error");
  for (const std::int64_t epochs : {std::int64_t{-1}, std::int64_t{1} << 62, INT64_MIN}) {
    CHECK(checkpoint_error([&](run::Checkpoint& checkpoint) {
            checkpoint.state.epochs_done = epochs;
          }).starts_with("x.h5: /history/epoch has the shape [2] instead of ["));
  }
  // The best epoch's number is the place in the history at which it is looked up.
  CHECK(checkpoint_error([](run::Checkpoint& checkpoint) { checkpoint.history[1].epoch = 1000; }) ==
        "x.h5: the epochs of /history/epoch are not 1, 2, 3 and so on; start a new run");
  CHECK(checkpoint_error([](run::Checkpoint& checkpoint) { checkpoint.best_parameters = {1}; }) ==
        "x.h5: /best_parameters and /parameters differ in size; start a new run");
}
