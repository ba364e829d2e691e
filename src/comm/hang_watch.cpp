#include "hang_watch.hpp"

#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "hang_board.hpp"
#include "mnist_dist/core/log.hpp"

namespace mnist_dist::comm {
namespace {

constinit RankSign first_sign{};  // until the ranks of the host share theirs

/// Ends all ranks: the launcher kills those that are stopped, too.
[[noreturn]] void end_job(const std::string& message) {
  log_error(message);
  alarm(3);  // MPI may not even answer to this
  abort_all_ranks(ExitCode::rank_failed);
  _exit(static_cast<int>(ExitCode::rank_failed));
}

class HangWatch {
 public:
  static HangWatch& instance() {
    static HangWatch watch;
    return watch;
  }

  void start(int limit) {
    limit_ = limit * kLooksPerSecond;
    board_ = std::make_unique<HangBoard>(first_sign, rank_by_launcher());
    watcher_ = std::jthread([this](const std::stop_token& end) { watch(end); });
  }

  void use(std::unique_ptr<HangBoard> board) {
    const std::lock_guard lock(mutex_);
    board_ = std::move(board);
    my_sign = &board_->mine();
  }

 private:
  void watch(const std::stop_token& end) {
    std::unique_lock lock(mutex_);
    const auto never = [] { return false; };
    while (!end.stop_requested()) {
      wake_.wait_for(lock, end, std::chrono::milliseconds(1000 / kLooksPerSecond), never);
      const HostView& view = board_->look();
      if (limit_ == 0) continue;
      if (const auto message = hang_message(view, limit_)) end_job(*message);
    }
  }

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::unique_ptr<HangBoard> board_;
  int limit_ = 0;  // looks
  std::jthread watcher_;
};

}  // namespace

RankSign* my_sign = &first_sign;

void start_hang_watch(int limit) {
  HangWatch::instance().start(limit);
}

void share_signs(const Communicator& world) {
  HangWatch::instance().use(std::make_unique<HangBoard>(world, world.split_by_host()));
}

void unshare_signs() {
  HangWatch::instance().use(std::make_unique<HangBoard>(first_sign, rank_by_launcher()));
}

}  // namespace mnist_dist::comm
