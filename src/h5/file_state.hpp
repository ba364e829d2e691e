// What the source files of h5::File share: its state, and how a failed call becomes an Error.
#pragma once

#include <memory>
#include <string>

#include "descriptor_driver.hpp"
#include "handle.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/h5/file.hpp"

namespace mnist_dist::h5 {

/// Keeps HDF5 from printing on standard error. To be called before any other HDF5 call of a thread.
void silence_library();

/// The innermost entry of HDF5's error stack: why the last call failed. One line.
std::string library_reason();

struct File::State {
  std::string name;  ///< what errors call the file; safe to print
  bool writable = false;
  DriverStatus status;
  Handle id;

  /// Throws when `result`, of an HDF5 call that serves to read `object`, is negative.
  template <class Result>
  Result check_read(Result result, const std::string& object) const {
    if (result < 0) fail_reading(object);
    return result;
  }
  /// Throws when `result`, of an HDF5 call that serves to write `object`, is negative.
  template <class Result>
  Result check_write(Result result, const std::string& object) const {
    if (result < 0) fail_writing(object);
    return result;
  }
  /// Throws when anything written so far did not reach the file.
  void check_everything_was_written() const;

  [[noreturn]] void fail_reading(const std::string& object) const;
  [[noreturn]] void fail_writing(const std::string& object) const;
  /// Not a fault of the disk: the object is not what it should be.
  [[noreturn]] void fail_bad(const std::string& object, const std::string& what) const;

  [[nodiscard]] Handle open_data_set(const std::string& data_set) const;
  [[nodiscard]] Handle open_attribute(const std::string& attribute) const;
  [[nodiscard]] Shape shape_of(const Handle& space, const std::string& object) const;
  /// A link creation property list that makes the groups on the way.
  [[nodiscard]] Handle link_creation(const std::string& object) const;
};

/// UTF-8 text of `size` bytes, or of any size for H5T_VARIABLE. Invalid on failure.
[[nodiscard]] Handle text_type(std::size_t size);

}  // namespace mnist_dist::h5
