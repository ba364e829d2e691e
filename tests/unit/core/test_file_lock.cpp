#include "mnist_dist/core/file_lock.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;

TEST_CASE("a locked byte is another's until its descriptor is closed, however many others are") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "file";
  const auto open_file = [&] { return open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666); };
  const int owner = open_file();
  const int other = open_file();
  CHECK(lock_byte(owner, 0, false) == LockOutcome::ours);
  CHECK(lock_byte(owner, 0, false) == LockOutcome::ours);
  CHECK(lock_byte(other, 0, false) == LockOutcome::anothers);
  CHECK(lock_byte(other, 1, false) == LockOutcome::ours);
  close(open_file());
  CHECK(lock_byte(other, 0, false) == LockOutcome::anothers);
  unlock_byte(owner, 0);
  CHECK(lock_byte(other, 0, true) == LockOutcome::ours);
  CHECK(lock_byte(owner, 0, false) == LockOutcome::anothers);
  close(other);
  CHECK(lock_byte(owner, 0, false) == LockOutcome::ours);
  CHECK(leads_to(path.c_str(), owner));
  write_file_atomically(path, std::string_view("another file"));
  CHECK_FALSE(leads_to(path.c_str(), owner));
  std::filesystem::remove(path);
  CHECK_FALSE(leads_to(path.c_str(), owner));
  close(owner);
}

TEST_CASE("a file that several write at the same time is the whole one of one of them") {
  const TemporaryFolder folder;
  const std::filesystem::path target = folder.path() / "file";
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 100; ++round) {
        try {
          write_file_atomically(target, std::string(static_cast<std::size_t>(1000 + i), static_cast<char>('a' + i)));
          const std::string text = read_text_file(target);
          const auto length = static_cast<std::size_t>(1000 + text.at(0) - 'a');
          if (text != std::string(length, text[0])) ++failures;
        } catch (const std::exception&) {
          ++failures;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == 0);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("what a process that died left of a file goes, and what another one writes stays") {
  const TemporaryFolder folder;
  const std::filesystem::path target = folder.path() / "file";
  const std::filesystem::path partial = folder.path() / ".file.partial";
  write_file_atomically(partial, std::string_view("left"));
  SUBCASE("left") {
    write_file_atomically(target, std::string_view("new"));
    CHECK_FALSE(std::filesystem::exists(partial));
  }
  SUBCASE("another's") {
    const int other = open(partial.c_str(), O_RDWR | O_CLOEXEC);
    REQUIRE(lock_byte(other, 0, false) == LockOutcome::ours);
    write_file_atomically(target, std::string_view("new"));
    CHECK(read_text_file(partial) == "left");
    close(other);
  }
  CHECK(read_text_file(target) == "new");
  CHECK_FALSE(std::filesystem::exists(folder.path() / ".file.2.partial"));
}
