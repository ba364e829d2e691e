#include <doctest/doctest.h>

#include <set>
#include <string>

#include "../float_comparison.hpp"
#include "mnist_dist/train/recipe_scaling.hpp"

using namespace mnist_dist;
using train::Settings;

namespace {

const std::set<std::string> kAll = {"shift",    "elastic", "elastic-smoothing", "batch-size", "warmup-steps",
                                    "rotation", "holdout"};
constexpr data::ImageShape kMnist{28, 28, 1};

Settings recipe() {
  Settings settings;
  settings.rotation = 10;
  settings.shift = 1.5;
  settings.elastic = 2;
  settings.elastic_smoothing = 5;
  settings.warmup_steps = 500;
  return settings;
}

Settings scaled(const data::ImageShape& shape, std::size_t rows, const std::set<std::string>& of_recipe = kAll) {
  return train::scaled_to_data(recipe(), of_recipe,
                               {.shape = shape, .classes = 10, .training_rows = rows, .testing_rows = 100});
}

}  // namespace

TEST_CASE("a recipe is as it stands for MNIST, and for more images of its size") {
  CHECK(scaled(kMnist, 60000) == recipe());
  CHECK(scaled(kMnist, 10000000) == recipe());
  CHECK(scaled({28, 100, 3}, 60000) == recipe());  // the shorter side counts
}

TEST_CASE("what augmentation does in pixels follows the size of the images") {
  const Settings small = scaled({8, 8, 1}, 60000);
  CHECK(is_close(small.shift, 0.429, 1e-12));
  CHECK(is_close(small.elastic, 0.571, 1e-12));
  CHECK(is_close(small.elastic_smoothing, 1.429, 1e-12));
  CHECK(is_close(small.rotation, 10, 0));
  CHECK(small.batch_size == 100);
  CHECK(is_close(scaled({64, 56, 1}, 60000).shift, 3, 0));
  CHECK(is_close(scaled({2, 2, 1}, 60000).elastic_smoothing, 1, 0));  // the least that there is
}

TEST_CASE("few images make small batches and a short warm-up") {
  const Settings few = scaled(kMnist, 1437);
  CHECK(few.batch_size == 20);
  CHECK(few.warmup_steps == 215);
  CHECK(is_close(few.shift, 1.5, 0));
  CHECK(scaled(kMnist, 6999).batch_size == 99);
  CHECK(scaled(kMnist, 7000).batch_size == 100);
  CHECK(scaled(kMnist, 30).batch_size == 10);
  CHECK(scaled(kMnist, 30).warmup_steps == 9);
}

TEST_CASE("a holdout too small to choose an epoch by is left away, if the test images can tell") {
  CHECK(is_close(scaled(kMnist, 5000).holdout, 0.1, 0));
  CHECK(is_close(scaled(kMnist, 4999).holdout, 0, 0));
  const train::DataSize untested{.shape = kMnist, .classes = 10, .training_rows = 400, .testing_rows = 0};
  CHECK(is_close(train::scaled_to_data(recipe(), kAll, untested).holdout, 0.1, 0));
  const train::DataSize with_holdout{
      .shape = kMnist, .classes = 10, .training_rows = 400, .testing_rows = 100, .holdout_rows = 40};
  CHECK(is_close(train::scaled_to_data(recipe(), kAll, with_holdout).holdout, 0.1, 0));
}

TEST_CASE("what the recipe did not decide stays") {
  const std::set<std::string> nothing;
  CHECK(scaled({8, 8, 1}, 30, nothing) == recipe());
  Settings expected = recipe();
  expected.batch_size = 10;
  CHECK(scaled({8, 8, 1}, 30, {"batch-size"}) == expected);
}
