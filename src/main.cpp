// mnist-dist: the one place that catches, prints an error once, and ends all ranks with the right exit code.
#include <csignal>
#include <exception>
#include <new>
#include <string>

#include "mnist_dist/cli/program.hpp"
#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/memory.hpp"
#include "mnist_dist/core/output.hpp"

namespace {

/// The first rank is named only where its user may not know where it is.
void say(const char* message, int rank, const std::string& host) {
  mnist_dist::log_error(message, rank, rank > 0 || mnist_dist::comm::several_hosts_by_launcher() ? host : "");
}

int fail(mnist_dist::ExitCode exit_code, const char* message) {
  say(message, mnist_dist::comm::rank_by_launcher(), mnist_dist::host_name());
  mnist_dist::comm::abort_all_ranks(exit_code);
  return static_cast<int>(exit_code);
}

}  // namespace

int main(int argc, char** argv) {
  using mnist_dist::ExitCode;
  // A file that grows beyond `ulimit -f` is then an error like a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  try {
    const int exit_code = mnist_dist::cli::run_program(argc, argv);
    mnist_dist::flush_output();
    return exit_code;
  } catch (const mnist_dist::comm::AgreedError& error) {
    // All ranks are here: one speaks, and all end in the regular way.
    if (mnist_dist::comm::rank_by_launcher() == 0) say(error.what(), error.failed_rank(), error.failed_host());
    mnist_dist::comm::Environment::finalize();
    return static_cast<int>(error.exit_code());
  } catch (const mnist_dist::Error& error) {
    return fail(error.exit_code(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(ExitCode::rank_failed, mnist_dist::kOutOfMemory);
  } catch (const std::exception& error) {
    return fail(ExitCode::bug, error.what());
  }
}
