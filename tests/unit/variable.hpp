// An environment variable in a test.
#pragma once

#include <stdlib.h>

#include <string>

/// An environment variable that is set, or (null) is not, as long as this lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = getenv(name); before != nullptr) before_ = before;
    put(value);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { put(before_.empty() ? nullptr : before_.c_str()); }

 private:
  void put(const char* value) const {
    if (value == nullptr) {
      unsetenv(name_);
    } else {
      setenv(name_, value, 1);
    }
  }
  const char* name_;
  std::string before_;
};
