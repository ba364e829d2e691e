#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/train/epoch_metrics.hpp"
#include "mnist_dist/train/settings.hpp"
#include "mnist_dist/train/stop_conditions.hpp"

using namespace mnist_dist;
using train::EpochMetrics;
using train::Settings;

namespace {

std::string error_of(const std::string& toml) {
  try {
    (void)train::settings_from_toml(toml, "x.toml");
  } catch (const Error& error) {
    CHECK(error.exit_code() == ExitCode::usage);
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

EpochMetrics epoch(std::int64_t number, double score, double loss) {
  return {
      .epoch = number, .score = score, .loss = loss, .accuracy = score / 2, .seconds = 2, .rows = 100, .steps = number};
}

}  // namespace

TEST_CASE("the defaults are the seed's") {
  const Settings s;
  CHECK(s.hidden == std::vector<std::uint64_t>{100, 100, 100});
  CHECK(s.leaky_relu_slope == 0.1);
  CHECK(s.dropout == 0.2);
  CHECK(s.learning_rate == 0.001);
  CHECK(s.batch_size == 100);
  CHECK(s.holdout == 0.1);
  CHECK(s.output_l2 == 1e-4);
  CHECK(s.min_change == 1e-4);
  CHECK(s.window == 10);
  CHECK_NOTHROW(train::check_settings(s));
}

TEST_CASE("settings survive TOML to the last bit") {
  Settings settings;
  settings.data = "a \"quoted\"\\path\xc3\xa9.h5";
  settings.hidden = {7};
  settings.learning_rate = 0.1 + 0.2;
  settings.min_change = 1e-300;
  settings.beta2 = 1;
  settings.seed = 9007199254740992;
  CHECK(train::settings_from_toml(train::to_toml(settings), "x.toml") == settings);
  settings.data = "every control character: ";
  for (char character = 1; character < ' '; ++character) settings.data += character;
  settings.data += '\x7f';
  CHECK(train::settings_from_toml(train::to_toml(settings), "x.toml") == settings);
  settings.hidden = {};
  CHECK(train::settings_from_toml(train::to_toml(settings), "x.toml") == settings);
}

TEST_CASE("mistakes in TOML name the file, the line and the key") {
  CHECK(contains(error_of("epochs = 3\nlearning-rat = 1"), "x.toml, line 2: unknown key 'learning-rat'"));
  CHECK(contains(error_of("epochs = 'three'"), "x.toml, line 1: epochs must be a whole number"));
  CHECK(contains(error_of("epochs = -1"), "epochs must be a whole number"));
  CHECK(contains(error_of("epochs = 1.5"), "epochs must be a whole number"));
  CHECK(contains(error_of("dropout = true"), "dropout must be a number"));
  CHECK(contains(error_of("hidden = 100"), "hidden must be a list"));
  CHECK(contains(error_of("data = 1"), "data must be a text"));
  CHECK(contains(error_of("epochs = "), "x.toml, line 1"));
  CHECK(contains(error_of("[train]\nepochs = 1"), "unknown key 'train'"));
  CHECK(contains(error_of("\"a\\nb\" = 1"), "unknown key 'a?b'"));
}

TEST_CASE("values out of bounds are refused by the name of their flag") {
  const auto refused = [](auto change, const std::string& flag) {
    Settings settings;
    change(settings);
    try {
      train::check_settings(settings);
    } catch (const Error& error) {
      return contains(error.what(), flag) && error.exit_code() == ExitCode::usage;
    }
    return false;
  };
  CHECK(refused([](Settings& s) { s.dropout = 1; }, "--dropout"));
  CHECK(refused([](Settings& s) { s.learning_rate = -1; }, "--learning-rate"));
  CHECK(refused([](Settings& s) { s.learning_rate = std::nan(""); }, "--learning-rate"));
  CHECK(refused([](Settings& s) { s.batch_size = 0; }, "--batch-size"));
  CHECK(refused([](Settings& s) { s.hidden = {10, 0}; }, "--hidden"));
  CHECK(refused([](Settings& s) { s.shards = 0; }, "--shards"));
  CHECK(refused([](Settings& s) { s.holdout = 1; }, "--holdout"));
  CHECK(refused([](Settings& s) { s.data = ""; }, "--data"));
  CHECK(refused([](Settings& s) { s.data = "x\xff.h5"; }, "--data is 'x\xff.h5', which is not UTF-8"));
  CHECK(refused([](Settings& s) { s.reduction = "ring"; }, "--reduction is 'ring', but must be one of: tree, mpi"));
  // AdaMax may keep the largest gradient for ever, Adam may not.
  CHECK_FALSE(refused([](Settings& s) { s.beta2 = 1; }, "--beta2"));
  CHECK(refused(
      [](Settings& s) {
        s.beta2 = 1;
        s.optimizer = "adam";
      },
      "--beta2"));
}

TEST_CASE("there are at most as many ranks as shards") {
  Settings settings;
  settings.shards = 5;
  CHECK_NOTHROW(train::check_shards(settings, 5));
  CHECK_THROWS_AS(train::check_shards(settings, 6), Error);
}

TEST_CASE("only named settings are overridden") {
  Settings settings;
  Settings overriding;
  overriding.epochs = 7;
  overriding.dropout = 0.5;
  train::override_settings(settings, overriding, {"epochs"});
  CHECK(settings.epochs == 7);
  CHECK(settings.dropout == 0.2);
}

TEST_CASE("training stops for each of its reasons and for no other") {
  Settings settings;
  settings.window = 2;
  settings.min_change = 0.01;
  settings.epochs = 5;
  CHECK_FALSE(train::stop_reason({}, settings));
  CHECK_FALSE(train::stop_reason({epoch(1, 0.5, 1.0)}, settings));
  CHECK_FALSE(train::stop_reason({epoch(1, 0.5, 1.0), epoch(2, 0.5, 0.9)}, settings));
  CHECK(contains(*train::stop_reason({epoch(1, 0.5, 1.0), epoch(2, 0.5, 0.9), epoch(3, 0.4, 0.8)}, settings),
                 "--window"));
  CHECK_FALSE(train::stop_reason({epoch(1, 0.5, 1.0), epoch(2, 0.5, 0.9), epoch(3, 0.6, 0.8)}, settings));
  CHECK_FALSE(train::stop_reason({epoch(1, 0.5, 1.0), epoch(2, 0.6, 1.005)}, settings));
  CHECK_FALSE(train::stop_reason({epoch(1, 0.5, 1.1), epoch(2, 0.6, 1.0), epoch(3, 0.7, 1.005)}, settings));
  CHECK_FALSE(train::stop_reason({epoch(1, 0.5, 1.0), epoch(2, 0.6, 1.005), epoch(3, 0.7, 0.9)}, settings));
  CHECK(contains(*train::stop_reason({epoch(1, 0.5, 1.0), epoch(2, 0.6, 1.005), epoch(3, 0.7, 1.0)}, settings),
                 "--min-change"));
  CHECK(contains(*train::stop_reason({epoch(4, 0.5, 1.0), epoch(5, 0.6, 0.5)}, settings), "--epochs"));
  // A change of just as much is not too small.
  settings.min_change = 0.25;
  CHECK_FALSE(train::stop_reason({epoch(1, 0.5, 1.0), epoch(2, 0.6, 0.75), epoch(3, 0.7, 0.5)}, settings));
  CHECK_FALSE(train::stop_reason({epoch(1, 0.5, 1.0), epoch(2, 0.6, 0.75), epoch(3, 0.7, 0.625)}, settings));
  CHECK_FALSE(train::stop_reason({epoch(1, 0.5, 1.0), epoch(2, 0.6, 0.875), epoch(3, 0.7, 0.625)}, settings));
  settings.min_change = 0.01;
  // Without a holdout there is no score: the window never closes.
  const double none = std::nan("");
  CHECK_FALSE(train::stop_reason({epoch(1, none, 1.0), epoch(2, none, 0.9), epoch(3, none, 0.8)}, settings));
}

TEST_CASE("the best epoch is the first with the highest score") {
  CHECK(train::best_epoch({}) == 0);
  CHECK(train::best_epoch({epoch(1, 0.5, 1), epoch(2, 0.7, 1), epoch(3, 0.7, 1)}) == 2);
}
