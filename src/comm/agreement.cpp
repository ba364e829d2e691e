#include "mnist_dist/comm/agreement.hpp"

#include <algorithm>
#include <new>
#include <string>

#include "hang_watch.hpp"
#include "mnist_dist/core/log.hpp"
#include "mnist_dist/core/memory.hpp"
#include "mpi_handle.hpp"

namespace mnist_dist::comm {
namespace {

// A question takes this many steps to be answered, so that asking hides behind computing.
constexpr int kStepsPerQuestion = 16;

}  // namespace

void run_and_agree(const Communicator& communicator, const std::function<void()>& work) {
  auto exit_code = static_cast<int>(ExitCode::done);
  std::string message;
  try {
    work();
  } catch (const Error& error) {
    exit_code = static_cast<int>(error.exit_code());
    message = error.what();
  } catch (const std::bad_alloc&) {
    exit_code = static_cast<int>(ExitCode::rank_failed);
    message = kOutOfMemory;
  } catch (const std::exception& error) {
    exit_code = static_cast<int>(ExitCode::bug);
    message = error.what();
  }
  const Waiting waiting(Wait::failures);
  const std::vector<int> exit_codes = communicator.all_gather(exit_code);
  const auto failed = std::find_if(exit_codes.begin(), exit_codes.end(), [](int code) { return code != 0; });
  if (failed == exit_codes.end()) return;
  const auto failed_rank = static_cast<int>(failed - exit_codes.begin());
  message = communicator.broadcast(message, failed_rank);
  throw AgreedError(static_cast<ExitCode>(*failed), message, communicator.rank_of_launcher(failed_rank),
                    communicator.broadcast(host_name(), failed_rank));
}

struct StopAgreement::Question {
  MPI_Request request = MPI_REQUEST_NULL;
  int wish = 0;
  int answer = 0;
};

StopAgreement::StopAgreement(const Communicator& communicator)
    : communicator_(communicator), question_(std::make_unique<Question>()) {}

StopAgreement::~StopAgreement() = default;

bool StopAgreement::after_step(bool wish) {
  if (steps_++ % kStepsPerQuestion != 0) return false;
  const Waiting waiting(Wait::stop_question);
  check(MPI_Wait(&question_->request, MPI_STATUS_IGNORE), "MPI_Wait");
  const bool stop = question_->answer != 0;
  if (!stop) {
    question_->wish = wish ? 1 : 0;
    check(MPI_Iallreduce(&question_->wish, &question_->answer, 1, MPI_INT, MPI_MAX, communicator_.handle().communicator,
                         &question_->request),
          "MPI_Iallreduce");
  }
  return stop;
}

bool StopAgreement::settle(bool wish) {
  const Waiting waiting(Wait::stop_question);
  check(MPI_Wait(&question_->request, MPI_STATUS_IGNORE), "MPI_Wait");
  int any = wish || question_->answer != 0 ? 1 : 0;
  check(MPI_Allreduce(MPI_IN_PLACE, &any, 1, MPI_INT, MPI_MAX, communicator_.handle().communicator), "MPI_Allreduce");
  question_->answer = 0;
  return any != 0;
}

}  // namespace mnist_dist::comm
