#include "child_program.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "mnist_dist/core/error.hpp"

namespace mnist_dist::cli {
namespace {

// mpirun hears no signal while it starts ranks, which may take for ever; to end them takes it a few seconds.
constexpr std::chrono::seconds kGrace{20};

// A library may have threads, and the handler runs in any of them: it leaves the signal in a pipe for the one that
// waits.
std::array<int, 2> signal_pipe = {-1, -1};

extern "C" void leave_signal(int signal) {
  const int error_number = errno;
  const auto byte = static_cast<unsigned char>(signal);
  [[maybe_unused]] const auto written = write(signal_pipe[1], &byte, 1);
  errno = error_number;
}

/// Between fork() and execvp(), where little is allowed. Does not return.
void become(const std::vector<char*>& words, pid_t parent, int output, int failure) {
  // Ctrl-C must not reach mpirun past this process: it would give the ranks one second to save.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);  // it has died before it could be asked to tell
  const int nothing = open("/dev/null", O_RDWR);
  dup2(nothing, STDIN_FILENO);
  if (output >= 0) {
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
  }
  execvp(words.front(), words.data());
  const int error_number = errno;
  [[maybe_unused]] const auto written = write(failure, &error_number, sizeof error_number);
  _exit(1);
}

/// @param output gets what it prints; negative for what this process has
pid_t start(const std::vector<std::string>& words, int output) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::array<int, 2> failure{};
  if (pipe2(failure.data(), O_CLOEXEC) != 0) throw file_error("cannot start " + words.front(), errno);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) become(arguments, parent, output, failure[1]);
  int error_number = child < 0 ? errno : 0;
  close(failure[1]);
  // The pipe ends when the program has begun.
  while (child > 0 && read(failure[0], &error_number, sizeof error_number) < 0 && errno == EINTR) continue;
  close(failure[0]);
  if (error_number == 0) return child;
  if (child > 0) waitpid(child, nullptr, 0);
  throw file_error(fmt::format("cannot start {} (Debian has it in openmpi-bin)", words.front()), error_number);
}

/// All that is in the file, which is closed.
std::string take_text(int file) {
  std::string text(static_cast<std::size_t>(std::max<off_t>(lseek(file, 0, SEEK_END), 0)), '\0');
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(pread(file, text.data(), text.size(), 0), 0)));
  close(file);
  return text;
}

}  // namespace

ChildPrograms::ChildPrograms() {
  if (pipe2(signal_pipe.data(), O_CLOEXEC | O_NONBLOCK) != 0) throw file_error("cannot make a pipe", errno);
  struct sigaction action {};
  action.sa_handler = leave_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGUSR1, SIGUSR2}) sigaction(signal, &action, nullptr);
  struct sigaction before {};
  sigaction(SIGHUP, nullptr, &before);
  if (before.sa_handler != SIG_IGN) sigaction(SIGHUP, &action, nullptr);  // nohup has it ignored
}

void ChildPrograms::wait_for_signals(std::chrono::milliseconds time, int child) {
  pollfd from{.fd = signal_pipe[0], .events = POLLIN, .revents = 0};
  if (poll(&from, 1, static_cast<int>(time.count())) <= 0) return;
  unsigned char signal = 0;
  while (read(signal_pipe[0], &signal, 1) == 1) {
    if (signal == SIGCHLD) continue;
    if (stop_signal_ == 0) {
      stop_signal_ = signal;
      stopped_at_ = Clock::now();
    } else if (child > 0 && Clock::now() - stopped_at_ >= std::chrono::seconds(1)) {
      // Not as `timeout` does, which tells a program and then its group.
      if (!hurried_at_) hurried_at_ = Clock::now();
      kill(child, SIGTERM);
    }
  }
}

int ChildPrograms::run(const std::vector<std::string>& words, std::optional<std::chrono::seconds> limit,
                       std::string* printed) {
  const int output = printed == nullptr ? -1 : memfd_create("printed", MFD_CLOEXEC);
  if (printed != nullptr && output < 0) throw file_error("cannot make room for what a program prints", errno);
  const pid_t child = start(words, output);
  const Clock::time_point begin = Clock::now();
  Clock::time_point next_telling = begin;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) != child) {
    wait_for_signals(std::chrono::seconds(1), child);
    if (stop_signal_ != 0 && !hurried_at_ && Clock::now() >= next_telling) {
      kill(child, SIGUSR1);
      next_telling = Clock::now() + std::chrono::seconds(3);
    }
    const bool is_deaf = hurried_at_ && Clock::now() - *hurried_at_ > kGrace;
    if (is_deaf || (limit && Clock::now() - begin > *limit)) kill(-child, SIGKILL);
  }
  if (printed != nullptr) *printed = take_text(output);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int ChildPrograms::stop_signal() {
  wait_for_signals(std::chrono::milliseconds(0), 0);  // one may have come since
  return stop_signal_;
}

void ChildPrograms::pause(std::chrono::milliseconds time) {
  wait_for_signals(time, 0);
}

}  // namespace mnist_dist::cli
