#include <doctest/doctest.h>

#include <array>
#include <string>

#include "mnist_dist/core/nearest_word.hpp"

using namespace mnist_dist;

TEST_CASE("a mistyped word names the nearest one") {
  const std::array<std::string, 7> known = {"train",     "evaluate", "epochs", "learning-rate",
                                            "optimizer", "relu",     "gelu"};
  for (const auto& [typed, meant] : {std::array<std::string, 2>{"tain", "train"},
                                     {"tarin", "train"},
                                     {"trainn", "train"},
                                     {"Train", "train"},
                                     {"epoch", "epochs"},
                                     {"learning_rate", "learning-rate"},
                                     {"learnin-rat", "learning-rate"},
                                     {"optim", "optimizer"},  // its beginning
                                     {"optimiser", "optimizer"},
                                     {"eval", "evaluate"},
                                     {"gulu", "gelu"},
                                     {"fly", ""},
                                     {"", ""},
                                     {"x", ""},
                                     {"tr", ""},
                                     {"swish", ""}}) {
    CAPTURE(typed);
    CHECK(nearest_word(typed, known) == meant);
  }
  CHECK(nearest_word(std::string(100'000, 'e'), known).empty());
  CHECK(nearest_word("train", {}).empty());
  CHECK(did_you_mean("tain", known) == " (did you mean train?)");
  CHECK(did_you_mean("fly", known).empty());
}
