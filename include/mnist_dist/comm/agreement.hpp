// How ranks agree: on the failure of one of them, and on stopping.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/core/error.hpp"

namespace mnist_dist::comm {

/// A failure that all ranks know of: each ends in the regular way, and rank 0 alone prints it.
class AgreedError : public Error {
 public:
  AgreedError(ExitCode exit_code, const std::string& message, int failed_rank, std::string failed_host = {})
      : Error(exit_code, message), failed_rank_(failed_rank), failed_host_(std::move(failed_host)) {}
  /// The first rank that failed, by the launcher's number.
  [[nodiscard]] int failed_rank() const noexcept { return failed_rank_; }
  [[nodiscard]] const std::string& failed_host() const noexcept { return failed_host_; }

 private:
  int failed_rank_;
  std::string failed_host_;
};

/// Collective: runs `work`, which must not communicate, and then learns how the others fared.
/// @throws AgreedError at every rank, with the message of the first rank that failed
void run_and_agree(const Communicator& communicator, const std::function<void()>& work);

/// Asks all ranks, now and then, whether one of them was told to stop, so that all stop after the same step.
class StopAgreement {
 public:
  explicit StopAgreement(const Communicator& communicator);
  StopAgreement(const StopAgreement&) = delete;
  StopAgreement& operator=(const StopAgreement&) = delete;
  ~StopAgreement();

  /// Collective, but without waiting in most calls: call it after every step. @param wish whether this rank
  /// wants to stop
  /// @return at all ranks alike: whether to stop now
  bool after_step(bool wish);
  /// Collective: settles an open question, before the ranks do something else together.
  /// @return at all ranks alike: whether one of them wants to stop
  bool settle(bool wish);

 private:
  struct Question;
  const Communicator& communicator_;
  std::unique_ptr<Question> question_;
  int steps_ = 0;
};

}  // namespace mnist_dist::comm
