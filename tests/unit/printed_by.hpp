// What the program tells its user on stderr.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>

#include "mnist_dist/core/read_file.hpp"
#include "temporary_folder.hpp"

/// What `work` prints on stderr.
inline std::string printed_by(const std::function<void()>& work) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "stderr";
  std::fflush(stderr);
  const int before = dup(STDERR_FILENO);
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  REQUIRE(before >= 0);
  REQUIRE(file >= 0);
  dup2(file, STDERR_FILENO);
  const auto restore = [&] {
    std::fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
  };
  try {
    work();
  } catch (...) {
    restore();
    throw;
  }
  restore();
  close(file);
  return mnist_dist::read_text_file(path);
}
