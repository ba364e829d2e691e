// Runs the tests on all ranks; a test fails when it fails on any of them.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdint>
#include <span>

#include "mnist_dist/comm/communicator.hpp"

int main(int argc, char** argv) {
  constexpr int kHangTimeout = 600;  // only ends what hangs, on a busy machine, too
  mnist_dist::comm::Environment environment(kHangTimeout);
  std::int64_t failed = 0;
  {
    doctest::Context context(argc, argv);
    const auto world = mnist_dist::comm::Communicator::world();
    if (world.rank() != 0) context.setOption("minimal", true);  // speaks only of failures
    failed = context.run();
    world.sum(std::span(&failed, 1));
  }
  environment.finalize();
  return failed == 0 ? 0 : 1;
}
