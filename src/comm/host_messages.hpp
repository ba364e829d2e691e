// This rank's part in the messages between hosts (comm/exchange_schedule.hpp), from step to step.
#pragma once

#include <mpi.h>

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "hang_watch.hpp"
#include "hosts.hpp"
#include "mnist_dist/comm/communicator.hpp"
#include "mnist_dist/comm/exchange_schedule.hpp"

namespace mnist_dist::comm {

class HostMessages {
 public:
  /// @param schedule of all hosts  @param ranks, hosts outlive this
  HostMessages(const Communicator& ranks, const Hosts& hosts, const std::vector<HostMessage>& schedule);

  /// Messages of a phase that this rank sends, in the order in which they are best sent.
  [[nodiscard]] std::span<const HostMessage> to_send(int phase) const {
    return to_send_[static_cast<std::size_t>(phase)];
  }

  // A phase, in this order. Local, but for wait().

  /// Expects the messages of a phase that this rank receives. @param place where the message from a host is to lie
  void expect(int phase, const std::function<std::byte*(int from)>& place);
  /// @param bytes what is sent, at most as much as the schedule has; stays as it is until wait() has returned
  void send(const HostMessage& message, std::span<const std::byte> bytes);
  /// MPI moves messages only while it is called: to be called now and then where much is computed before wait().
  void progress();
  /// Collective over the handlers: until all that was begun is done.
  void wait(Wait what);

 private:
  const Communicator& ranks_;
  const Hosts& hosts_;
  std::vector<std::vector<HostMessage>> to_send_;     // by phase
  std::vector<std::vector<HostMessage>> to_receive_;  // by phase
  std::vector<MPI_Request> requests_;
};

}  // namespace mnist_dist::comm
