#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "mnist_dist/run/metrics_files.hpp"

using namespace mnist_dist;
using train::EpochMetrics;

TEST_CASE("metrics are written under the promised names") {
  const std::vector<EpochMetrics> history = {
      {.epoch = 1, .score = 0.5, .loss = 1.25, .accuracy = 0.25, .seconds = 2, .rows = 100, .steps = 1},
      {.epoch = 2, .score = std::nan(""), .loss = 1, .accuracy = std::nan(""), .seconds = 2, .rows = 100, .steps = 1}};
  CHECK(run::metrics_csv(history) ==
        "epoch,score,loss,accuracy,seconds,images_per_second\n"
        "1,0.5,1.25,0.25,2.000000,50.0\n"
        "2,,1,,2.000000,50.0\n");
  CHECK(run::metrics_jsonl({history[0]}) ==
        "{\"epoch\":1,\"score\":0.5,\"loss\":1.25,\"accuracy\":0.25,\"seconds\":2.0,\"images_per_second\":50.0,"
        "\"rows\":100,\"steps\":1,\"best\":true}\n");
}
