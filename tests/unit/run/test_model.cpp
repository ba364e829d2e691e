#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "message_of.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/core/sealed_bytes.hpp"
#include "mnist_dist/h5/file.hpp"
#include "mnist_dist/run/checkpoint.hpp"
#include "mnist_dist/run/model.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;

TEST_CASE("a model comes back whole, and its bytes depend on it alone") {
  const TemporaryFolder folder;
  run::Model before;
  before.architecture.inputs = 6;
  before.architecture.hidden = {4};
  before.architecture.outputs = 2;
  before.architecture.activation = nn::Activation::gelu;
  before.parameters.assign(6 * 4 + 4 + 4 * 2 + 2, 0.25F);
  before.image_shape = {2, 3, 1};
  before.mean = {1, 2, 3, 4, 5, 6};
  before.standard_deviation = {6, 5, 4, 3, 2, 1};
  before.classes = {"cat", "d\xc3\xb6g"};
  before.dataset_sha256 = "abc";
  before.epoch = 3;
  before.score = 0.5;
  before.build = "build";
  before.arithmetic = "core";
  before.holdout = 0.25;
  before.seed = 7;
  run::save_model(before, folder.path() / "a.h5");
  run::save_model(before, folder.path() / "b.h5");
  CHECK(read_file(folder.path() / "a.h5") == read_file(folder.path() / "b.h5"));
  const run::Model after = run::load_model(folder.path() / "a.h5");
  CHECK(after.architecture == before.architecture);
  CHECK(after.parameters == before.parameters);
  CHECK(after.image_shape == before.image_shape);
  CHECK(after.mean == before.mean);
  CHECK(after.standard_deviation == before.standard_deviation);
  CHECK(after.classes == before.classes);
  CHECK(after.dataset_sha256 == "abc");
  CHECK(after.epoch == 3);
  CHECK(after.score == 0.5);
  CHECK(after.build == "build");
  CHECK(after.arithmetic == "core");
  CHECK(after.holdout == before.holdout);
  CHECK(after.seed == 7);
  before.holdout.reset();
  run::save_model(before, folder.path() / "older.h5");
  CHECK_FALSE(run::load_model(folder.path() / "older.h5").holdout.has_value());
  before.holdout = 1;
  run::save_model(before, folder.path() / "odd.h5");
  CHECK(message_of(ExitCode::bad_data, [&] {
          (void)run::load_model(folder.path() / "odd.h5");
        }).ends_with("odd.h5: holdout is 1, no share of the rows"));
}

TEST_CASE("no text of a model or a checkpoint steers the terminal on which it is printed") {
  const std::string odd = "\x1b[2J";
  run::Checkpoint checkpoint;
  checkpoint.dataset_sha256 = checkpoint.build = checkpoint.arithmetic = odd;
  checkpoint = run::decode_checkpoint(run::encode_checkpoint(checkpoint), "x.h5");
  const TemporaryFolder folder;
  run::Model model;
  model.architecture.inputs = model.architecture.outputs = 1;
  model.parameters = {0, 0};
  model.image_shape = {1, 1, 1};
  model.mean = model.standard_deviation = {0};
  model.classes = {"cat"};
  model.dataset_sha256 = model.build = model.arithmetic = odd;
  run::save_model(model, folder.path() / "model.h5");
  model = run::load_model(folder.path() / "model.h5");
  for (const std::string& text : {checkpoint.dataset_sha256, checkpoint.build, checkpoint.arithmetic,
                                  model.dataset_sha256, model.build, model.arithmetic}) {
    CHECK(text == "?[2J");
  }
}

TEST_CASE("a model with an unknown activation is refused") {
  const TemporaryFolder folder;
  const auto load = [&](const std::string& activation) {
    h5::File file = h5::File::create_in_memory("model.h5");
    file.write_attribute("format", std::string(run::kModelFormat));
    file.write_attribute("format_version", std::int64_t{3});
    file.write_attribute("leaky_relu_slope", 0.25);
    file.write_attribute("activation", activation);
    for (const char* name : {"image_height", "image_width", "image_channels", "epoch"}) {
      file.write_attribute(name, std::int64_t{1});
    }
    file.write_attribute("score", 0.5);
    for (const char* name : {"dataset_sha256", "build", "arithmetic"}) file.write_attribute(name, std::string("x"));
    file.write_strings("/classes", std::vector<std::string>{"cat", "dog"});
    const std::vector<float> values = {1, 2};
    file.write("/mean", std::span(values).first(1), {1, 1});
    file.write("/standard_deviation", std::span(values).first(1), {1, 1});
    file.write("/layers/1/weights", std::span(values), {1, 2});
    file.write("/layers/1/biases", std::span(values), {2});
    std::vector<std::byte> bytes = file.image();
    seal(bytes);
    write_file_atomically(folder.path() / "model.h5", bytes);
    return run::load_model(folder.path() / "model.h5").architecture.activation;
  };
  CHECK(load("silu") == nn::Activation::silu);
  const std::string message = message_of(ExitCode::bad_data, [&] { load("swish\n9"); });
  CHECK(message.find("model.h5: its activation `swish") != std::string::npos);
}
