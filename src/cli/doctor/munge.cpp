#include "munge.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace mnist_dist::cli {

bool munge_answers() {
  // It must not wait for a daemon that is busy.
  const int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un munge{};
  munge.sun_family = AF_UNIX;
  std::strcpy(munge.sun_path, "/run/munge/munge.socket.2");
  const bool answers = connect(connection, reinterpret_cast<const sockaddr*>(&munge), sizeof munge) == 0;
  if (connection >= 0) close(connection);
  return answers;
}

}  // namespace mnist_dist::cli
