// What a failure says.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "mnist_dist/core/error.hpp"

/// The message of the Error that `function` throws, after checking its exit code and that it is one line; "no error"
/// when it throws none.
template <class Function>
std::string message_of(mnist_dist::ExitCode expected, Function function) {
  try {
    function();
  } catch (const mnist_dist::Error& error) {
    CHECK(error.exit_code() == expected);
    CHECK(std::string(error.what()).find('\n') == std::string::npos);
    return error.what();
  }
  return "no error";
}
