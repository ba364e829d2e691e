#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "message_of.hpp"
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

TEST_CASE("metrics.jsonl is read back as it was written, and a damaged line is named") {
  const std::vector<EpochMetrics> history = {
      {.epoch = 1, .score = 0.5, .loss = 1.25, .accuracy = 0.25, .seconds = 2.5, .rows = 100, .steps = 4},
      {.epoch = 2, .score = std::nan(""), .loss = 1, .accuracy = std::nan(""), .seconds = 2, .rows = 99, .steps = 8}};
  const std::string text = run::metrics_jsonl(history);
  const std::vector<EpochMetrics> read = run::history_from_jsonl(text, "metrics.jsonl");
  REQUIRE(read.size() == 2);
  CHECK(read[1].rows == 99);
  CHECK(std::isnan(read[1].score));
  CHECK(run::metrics_jsonl(read) == text);
  CHECK(run::history_from_jsonl("", "metrics.jsonl").empty());
  for (const char* damaged : {"{", "3", "{\"epoch\":2}", "", "{\"epoch\":\"2\",\"score\":null}"}) {
    CAPTURE(damaged);
    const std::string message = message_of(ExitCode::bad_data, [&] {
      static_cast<void>(run::history_from_jsonl(run::metrics_jsonl({history[0]}) + damaged + "\n", "x.jsonl"));
    });
    CHECK(message == "x.jsonl is damaged: line 2 is not that of epoch 2");
  }
}
