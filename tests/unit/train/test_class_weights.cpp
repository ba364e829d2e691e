#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "../float_comparison.hpp"
#include "mnist_dist/train/class_weights.hpp"

using namespace mnist_dist;
using train::ClassWeights;
using Counts = std::vector<std::size_t>;

namespace {

const std::vector<std::string> kClasses = {"cat", "dog"};

std::vector<std::string> warnings(const Counts& training, const Counts& holdout,
                                  ClassWeights weights = ClassWeights::none) {
  return train::class_warnings(kClasses, training, holdout, weights);
}

}  // namespace

TEST_CASE("rows are counted by class, and only those that are asked for") {
  const std::vector<std::int32_t> labels = {2, 0, 2, 2};
  const std::vector<std::uint64_t> rows = {0, 1, 3};
  CHECK(train::count_classes(labels, rows, 4) == Counts{1, 0, 2, 0});
}

TEST_CASE("balanced weights are scikit-learn's, with a mean of 1 over the rows") {
  // compute_class_weight("balanced", classes=[0, 1, 2], y) for 36, 24 and 16 rows.
  const std::vector<float> weights = train::balanced_weights({36, 24, 16});
  CHECK(is_close(weights[0], 0.70370370, 1e-6));
  CHECK(is_close(weights[1], 1.05555556, 1e-6));
  CHECK(is_close(weights[2], 1.58333333, 1e-6));
  // A class without rows is none of the k.
  const std::vector<float> two = train::balanced_weights({6, 0, 2});
  CHECK(is_close(two[0], 4.0 / 6, 1e-6));
  CHECK(is_close(two[1], 0, 0));
  CHECK(is_close(two[2], 2, 1e-6));
}

TEST_CASE("classes that make training or its score doubtful are named, a line each") {
  CHECK(warnings({90, 10}, {10, 5}).empty());
  CHECK(warnings({90, 10}, {0, 0}).empty());
  CHECK(warnings({90, 9}, {10, 5}) ==
        std::vector<std::string>{"class dog trains on 9 images, class cat on 90: --class-weights balanced makes up for "
                                 "it"});
  CHECK(warnings({90, 9}, {10, 5}, ClassWeights::balanced).empty());
  CHECK(warnings({30, 30}, {4, 1}) ==
        std::vector<std::string>{"the holdout has 1 image of class dog, too few for a score to rely on: pack more "
                                 "images, or give a larger --holdout where the data set names none"});
  const std::vector<std::string> one_image = warnings({9, 1}, {1, 0});
  REQUIRE(one_image.size() == 2);
  CHECK(one_image.front() == "class dog has 1 training image: pack more, or leave the class out");
  CHECK(train::class_warnings({"cat"}, {50}, {5}, ClassWeights::none).size() == 1);
  CHECK(warnings({20, 0}, {0, 0}).size() == 2);
}
