// HDF5 files, the only door to the library. Local: no call communicates.
//
// The bytes of a file depend on what is written alone: no object carries a time stamp. Text is UTF-8. Every
// failure is an Error that names the file and the object: bad_data when the file is not as it should be,
// file_system when the disk is at fault.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mnist_dist::h5 {

using Shape = std::vector<std::size_t>;

/// How the rows of a growing data set lie in the file.
struct RowStorage {
  Shape row_shape;                 ///< the shape of one row; empty for scalars
  std::size_t rows_per_chunk = 1;  ///< chunk: [rows_per_chunk, row_shape...]
  int gzip = 0;                    ///< 0 (none) to 9
};

/// An open HDF5 file. T is one of std::uint8_t, std::int32_t, std::int64_t, std::uint64_t, float, double.
class File {
 public:
  struct State;  // of the implementation

  /// Opens for reading.
  static File open(const std::filesystem::path& path);
  /// Opens a file whose bytes are in memory, for reading. @param name what errors call it
  static File open_image(std::span<const std::byte> bytes, const std::string& name);
  /// Creates or empties the file. @param name what errors call it
  static File create(const std::filesystem::path& path, const std::string& name);
  /// Builds a file in memory; image() gives its bytes.
  static File create_in_memory(const std::string& name);

  File(File&&) noexcept;
  File& operator=(File&&) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  /// Closes without a word; a file that was written wants close() or image() first.
  ~File();

  /// Writes everything out and closes. @throws Error (file_system) when that fails
  void close();
  /// The file's bytes, of a file made by create_in_memory().
  [[nodiscard]] std::vector<std::byte> image();

  [[nodiscard]] bool has(const std::string& object) const;
  [[nodiscard]] Shape shape(const std::string& data_set) const;

  /// Writes a whole data set; groups on the way are made.
  template <class T>
  void write(const std::string& data_set, std::span<const T> values, const Shape& shape);
  void write_strings(const std::string& data_set, std::span<const std::string> values);
  /// Reads a whole data set, converted to T; bad_data when its shape is not `expected` (where one is given).
  template <class T>
  [[nodiscard]] std::vector<T> read(const std::string& data_set) const;
  template <class T>
  [[nodiscard]] std::vector<T> read(const std::string& data_set, const Shape& expected) const;
  [[nodiscard]] std::vector<std::string> read_strings(const std::string& data_set) const;

  /// Makes an empty data set of rows that append_rows() fills.
  template <class T>
  void create_rows(const std::string& data_set, const RowStorage& storage);
  /// Appends values.size() / row size rows.
  template <class T>
  void append_rows(const std::string& data_set, std::span<const T> values);
  /// Reads the rows [first, first + values.size() / row size).
  template <class T>
  void read_rows(const std::string& data_set, std::size_t first, std::span<T> values) const;

  /// Attributes of the root group.
  void write_attribute(const std::string& name, const std::string& value);
  void write_attribute(const std::string& name, std::int64_t value);
  void write_attribute(const std::string& name, double value);
  [[nodiscard]] bool has_attribute(const std::string& name) const;
  [[nodiscard]] std::string string_attribute(const std::string& name) const;
  [[nodiscard]] std::int64_t integer_attribute(const std::string& name) const;
  [[nodiscard]] double real_attribute(const std::string& name) const;

 private:
  explicit File(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace mnist_dist::h5
