#include "host_messages.hpp"

#include "mpi_handle.hpp"

namespace mnist_dist::comm {

HostMessages::HostMessages(const Communicator& ranks, const Hosts& hosts, const std::vector<HostMessage>& schedule)
    : ranks_(ranks), hosts_(hosts) {
  for (const HostMessage& message : schedule) {
    to_send_.resize(static_cast<std::size_t>(message.phase) + 1);
    to_receive_.resize(to_send_.size());
    if (hosts.handler(message.from, message.to) == ranks.rank()) to_send_.back().push_back(message);
    if (hosts.handler(message.to, message.from) == ranks.rank()) to_receive_.back().push_back(message);
  }
}

void HostMessages::expect(int phase, const std::function<std::byte*(int from)>& place) {
  for (const HostMessage& message : to_receive_[static_cast<std::size_t>(phase)]) {
    check(MPI_Irecv(place(message.from), to_count(message.bytes), MPI_BYTE, hosts_.handler(message.from, message.to),
                    phase, ranks_.handle().communicator, &requests_.emplace_back()),
          "MPI_Irecv");
  }
}

void HostMessages::send(const HostMessage& message, std::span<const std::byte> bytes) {
  check(MPI_Isend(bytes.data(), to_count(bytes.size()), MPI_BYTE, hosts_.handler(message.to, message.from),
                  message.phase, ranks_.handle().communicator, &requests_.emplace_back()),
        "MPI_Isend");
}

void HostMessages::progress() {
  if (requests_.empty()) return;
  int done = 0;
  check(MPI_Testall(to_count(requests_.size()), requests_.data(), &done, MPI_STATUSES_IGNORE), "MPI_Testall");
}

void HostMessages::wait(Wait what) {
  const Waiting waiting(what);
  check(MPI_Waitall(to_count(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
  requests_.clear();
}

}  // namespace mnist_dist::comm
