// Work on many threads whose results are used in order on one: the outcome does not depend on the number of
// threads.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace mnist_dist::data {

/// Computes `work(0)` ... `work(count - 1)` on `jobs` threads; consume_all() uses the results in order.
/// Local.
///
/// At most jobs + 2 results exist at a time. The destructor ends the threads, whether all was consumed or
/// not.
template <class Result>
class OrderedParallel {
 public:
  /// Begins. @param jobs at least 1  @param work safe from any thread
  OrderedParallel(std::size_t count, unsigned jobs, std::function<Result(std::size_t)> work)
      : count_(count), capacity_(jobs + std::size_t{2}), work_(std::move(work)) {
    const std::size_t threads = std::min<std::size_t>(jobs, count);
    try {
      for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
    } catch (...) {
      stop();
      throw;
    }
  }
  OrderedParallel(const OrderedParallel&) = delete;
  OrderedParallel& operator=(const OrderedParallel&) = delete;
  ~OrderedParallel() { stop(); }

  /// Calls `consume` with each result, in order, on the calling thread; it may throw. Where `work` threw, its
  /// exception is thrown when that result's turn comes: the same one whatever the number of threads.
  void consume_all(const std::function<void(Result)>& consume) {
    for (std::size_t index = 0; index < count_; ++index) consume(take(index));
  }

 private:
  using Outcome = std::variant<Result, std::exception_ptr>;

  void run() {
    for (;;) {
      std::size_t index = 0;
      {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [&] { return stopped_ || next_ == count_ || next_ < taken_ + capacity_; });
        if (stopped_ || next_ == count_) return;
        index = next_++;
      }
      Outcome outcome;
      try {
        outcome = work_(index);
      } catch (...) {
        outcome = std::current_exception();
      }
      const std::lock_guard lock(mutex_);
      outcomes_.emplace(index, std::move(outcome));
      ready_.notify_one();
    }
  }

  Result take(std::size_t index) {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return outcomes_.contains(index); });
    Outcome outcome = std::move(outcomes_.extract(index).mapped());
    taken_ = index + 1;
    lock.unlock();
    room_.notify_one();
    if (auto* exception = std::get_if<std::exception_ptr>(&outcome)) std::rethrow_exception(*exception);
    return std::get<Result>(std::move(outcome));
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  std::size_t count_;
  std::size_t capacity_;
  std::function<Result(std::size_t)> work_;
  std::mutex mutex_;
  std::condition_variable room_;   // somebody may begin another result
  std::condition_variable ready_;  // a result was added
  std::map<std::size_t, Outcome> outcomes_;
  std::size_t next_ = 0;   // the first result that nobody has begun
  std::size_t taken_ = 0;  // the first result that was not consumed
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace mnist_dist::data
