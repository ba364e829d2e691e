// An HDF5 file with a right seal and odd contents. Damaged HDF5 is not made here: a seal keeps that from the library.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "mnist_dist/h5/file.hpp"

class FuzzedDataProvider;

namespace mnist_dist::fuzz {

/// Builds a file as it should be, but for a few edits, which the fuzzer's bytes choose: the n-th object is left out, or
/// has another type, shape, value or number of bytes, or is a group.
class OddFile {
 public:
  explicit OddFile(FuzzedDataProvider& choices);

  template <class T>
  void attribute(const std::string& name, const T& value);
  /// The values are `first` and so on, one more each.
  template <class T>
  void numbers(const std::string& name, const h5::Shape& shape, T first);
  void strings(const std::string& name, const std::vector<std::string>& values);

  /// The bytes, with the seal.
  [[nodiscard]] std::vector<std::byte> sealed();

 private:
  struct Edit {
    int kind = 0;
    std::uint64_t number = 0;
    std::string text;
    h5::Shape shape;
  };
  /// What the object that comes next is to suffer; null: nothing.
  [[nodiscard]] const Edit* next_edit();
  void odd_attribute(const std::string& name, const Edit& edit);
  void odd_data_set(const std::string& name, const h5::Shape& shape, const Edit& edit);
  void write_odd_data_set(const std::string& name, const h5::Shape& shape, const Edit& edit);
  void claim_shape(std::vector<std::byte>& bytes, const h5::Shape& shape, const h5::Shape& claimed) const;

  std::map<int, Edit> edits_;
  int next_ = 0;
  h5::File file_;
  std::vector<std::pair<h5::Shape, h5::Shape>> claims_;  // shapes in the file, and what takes their place
};

/// `bytes` without the seal that they may have, and with the right one.
[[nodiscard]] std::vector<std::byte> sealed_anew(std::span<const std::uint8_t> bytes);

/// Whether the fuzzer was given a whole file, which was made elsewhere.
[[nodiscard]] bool is_whole_file(std::span<const std::uint8_t> bytes);

}  // namespace mnist_dist::fuzz
