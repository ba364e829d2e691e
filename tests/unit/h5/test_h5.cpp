#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "message_of.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/h5/file.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A file with something of everything.
void fill(h5::File& file) {
  file.write_attribute("format", std::string("test"));
  file.write_attribute("count", std::int64_t{-5});
  file.write_attribute("score", 0.1);
  file.write_strings("/names", std::vector<std::string>{"a", "größer", ""});
  file.write<float>("/deep/er/values", std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  file.create_rows<std::uint8_t>("/rows", {.row_shape = {2, 2}, .rows_per_chunk = 3, .gzip = 0});
  std::vector<std::uint8_t> rows(28);
  std::iota(rows.begin(), rows.end(), std::uint8_t{0});
  file.append_rows<std::uint8_t>("/rows", std::span(rows).first(20));
  file.append_rows<std::uint8_t>("/rows", std::span(rows).last(8));
}

void check_filled(const h5::File& file) {
  CHECK(file.string_attribute("format") == "test");
  CHECK(file.integer_attribute("count") == -5);
  CHECK(file.real_attribute("score") == 0.1);
  CHECK(file.has_attribute("score"));
  CHECK_FALSE(file.has_attribute("nothing"));
  CHECK(file.read_strings("/names") == std::vector<std::string>{"a", "größer", ""});
  CHECK(file.has("/deep/er/values"));
  CHECK_FALSE(file.has("/deep/no/values"));
  CHECK_FALSE(file.has("/deep/er/no"));
  CHECK(file.shape("/deep/er/values") == h5::Shape{2, 3});
  CHECK(file.read<float>("/deep/er/values", {2, 3}) == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(file.read<double>("/deep/er/values") == std::vector<double>{1, 2, 3, 4, 5, 6});
  CHECK(file.shape("/rows") == h5::Shape{7, 2, 2});
  std::vector<std::uint8_t> rows(12);
  file.read_rows<std::uint8_t>("/rows", 4, rows);
  for (std::size_t i = 0; i < rows.size(); ++i) CHECK(rows[i] == 16 + i);
}

}  // namespace

TEST_CASE("what was written to an HDF5 file is read back") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "file.h5";
  h5::File written = h5::File::create(path, "file.h5");
  fill(written);
  written.close();
  check_filled(h5::File::open(path));
}

TEST_CASE("an HDF5 file in memory has the same bytes each time and is read back from them") {
  const auto build = [] {
    h5::File file = h5::File::create_in_memory("checkpoint");
    fill(file);
    return file.image();
  };
  const std::vector<std::byte> bytes = build();
  CHECK(bytes == build());
  check_filled(h5::File::open_image(bytes, "checkpoint"));
}

TEST_CASE("two HDF5 files in memory do not get mixed up") {
  h5::File first = h5::File::create_in_memory("same name");
  h5::File second = h5::File::create_in_memory("same name");
  first.write_attribute("which", std::int64_t{1});
  second.write_attribute("which", std::int64_t{2});
  const std::vector<std::byte> first_bytes = first.image();
  const std::vector<std::byte> second_bytes = second.image();
  const h5::File first_again = h5::File::open_image(first_bytes, "same name");
  const h5::File second_again = h5::File::open_image(second_bytes, "same name");
  CHECK(first_again.integer_attribute("which") == 1);
  CHECK(second_again.integer_attribute("which") == 2);
}

TEST_CASE("the bytes of an HDF5 file do not depend on when it is written") {
  const TemporaryFolder folder;
  std::vector<std::vector<std::byte>> contents;
  for (const char* name : {"first.h5", "second.h5"}) {
    h5::File file = h5::File::create(folder.path() / name, name);
    fill(file);
    file.close();
    contents.push_back(read_file(folder.path() / name));
    sleep(contents.size() == 1 ? 1 : 0);  // HDF5's time stamps count seconds
  }
  CHECK(contents[0] == contents[1]);
}

TEST_CASE("compressed rows are read back and take less room") {
  const TemporaryFolder folder;
  const std::vector<std::uint8_t> zeros(100000, 0);
  for (const int gzip : {0, 6}) {
    const std::filesystem::path path = folder.path() / std::to_string(gzip);
    h5::File file = h5::File::create(path, "zeros");
    file.create_rows<std::uint8_t>("/rows", {.row_shape = {100}, .rows_per_chunk = 300, .gzip = gzip});
    file.append_rows<std::uint8_t>("/rows", zeros);
    file.close();
    CHECK(h5::File::open(path).read<std::uint8_t>("/rows") == zeros);
  }
  CHECK(std::filesystem::file_size(folder.path() / "6") * 10 < std::filesystem::file_size(folder.path() / "0"));
}

TEST_CASE("data sets without rows or strings work") {
  h5::File file = h5::File::create_in_memory("empty");
  file.create_rows<std::uint8_t>("/rows", {.row_shape = {2}, .rows_per_chunk = 4});
  file.append_rows<std::uint8_t>("/rows", {});
  file.write_strings("/names", {});
  file.write<std::int32_t>("/labels", {}, {0});
  const std::vector<std::byte> bytes = file.image();
  const h5::File again = h5::File::open_image(bytes, "empty");
  CHECK(again.shape("/rows") == h5::Shape{0, 2});
  CHECK(again.read<std::uint8_t>("/rows").empty());
  CHECK(again.read_strings("/names").empty());
  CHECK(again.read<std::int32_t>("/labels", {0}).empty());
  std::vector<std::uint8_t> nothing;
  again.read_rows<std::uint8_t>("/rows", 0, nothing);
}

TEST_CASE("texts padded with spaces, as Fortran has them, are read without") {
  h5::File file = h5::File::create_in_memory("x");
  file.write_strings("/names", std::vector<std::string>{"ab     ", "longest"});
  std::vector<std::byte> bytes = file.image();
  CHECK(h5::File::open_image(bytes, "x").read_strings("/names") == std::vector<std::string>{"ab     ", "longest"});
  // The message of the type: a string (class 3, version 1) of UTF-8 (1), padded with zeros (1), of 7 bytes. Spaces
  // are 2.
  constexpr std::array<std::uint8_t, 8> kType = {0x13, 0x11, 0, 0, 7, 0, 0, 0};
  const auto type = std::ranges::search(bytes, std::as_bytes(std::span(kType))).begin();
  REQUIRE(type != bytes.end());
  *std::next(type) = std::byte{0x12};
  CHECK(h5::File::open_image(bytes, "x").read_strings("/names") == std::vector<std::string>{"ab", "longest"});
}

TEST_CASE("every integer and real type survives") {
  h5::File file = h5::File::create_in_memory("types");
  const auto check = [&](const std::string& name, auto values) {
    using T = typename decltype(values)::value_type;
    file.write<T>(name, values, {values.size()});
    CHECK(file.read<T>(name) == values);
  };
  check("/u8", std::vector<std::uint8_t>{0, 255});
  check("/i32", std::vector<std::int32_t>{-2147483647 - 1, 2147483647});
  check("/i64", std::vector<std::int64_t>{-(std::int64_t{1} << 62), 7});
  check("/u64", std::vector<std::uint64_t>{~std::uint64_t{0}, 1});
  check("/f32", std::vector<float>{-0.1F, 3e38F, std::numeric_limits<float>::denorm_min()});
  check("/f64", std::vector<double>{0.1, -1e300});
}

TEST_CASE("errors name the file and the object") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "file.h5";
  h5::File written = h5::File::create(path, "file.h5");
  fill(written);
  written.close();
  const h5::File file = h5::File::open(path);
  const auto bad = [](auto function) { return message_of(ExitCode::bad_data, function); };

  std::string message = bad([&] { (void)file.read<float>("/missing"); });
  CHECK(message == path.string() + ": /missing is missing or not a data set");
  message = bad([&] { (void)file.read<float>("/deep"); });
  CHECK(contains(message, "/deep"));
  message = bad([&] { (void)file.read<float>("/deep/er/values", {3, 2}); });
  CHECK(message == path.string() + ": /deep/er/values has the shape [2, 3] instead of [3, 2]");
  message = bad([&] { (void)file.read<float>("/names"); });
  CHECK(contains(message, "/names cannot be read"));
  CHECK(contains(bad([&] { (void)file.read_strings("/rows"); }), "/rows is not text"));
  CHECK(contains(bad([&] { (void)file.string_attribute("none"); }), "attribute none is missing"));
  CHECK(contains(bad([&] { (void)file.string_attribute("count"); }), "attribute count is not text"));
  CHECK(contains(bad([&] { (void)file.integer_attribute("score"); }), "attribute score is not an integer"));
  CHECK(contains(bad([&] { (void)file.real_attribute("format"); }), "attribute format is not a number"));
  std::vector<std::uint8_t> rows(8);
  CHECK(contains(bad([&] { file.read_rows<std::uint8_t>("/rows", 6, rows); }), "8 values from row 6 on"));
}

TEST_CASE("a data set that claims far more than its file holds is refused before memory is taken for it") {
  h5::File written = h5::File::create_in_memory("file.h5");
  written.create_rows<std::uint8_t>("/rows", {{3}, 4, 0});
  written.append_rows<std::uint8_t>("/rows", std::vector<std::uint8_t>(6));
  const std::vector<std::byte> whole = written.image();
  // HDF5's message of a space: version, rank, flags (1: it may grow), five zeros, then 8 bytes for each extent.
  const std::vector<unsigned char> message = {1, 2, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0};
  const auto raw = std::as_bytes(std::span(message));
  const auto place = std::search(whole.begin(), whole.end(), raw.begin(), raw.end()) - whole.begin();
  REQUIRE(place + 24 < static_cast<std::ptrdiff_t>(whole.size()));
  const auto with_rows = [&](unsigned byte, unsigned value) {
    std::vector<std::byte> bytes = whole;
    bytes[static_cast<std::size_t>(place) + 8 + byte] = std::byte(value);
    return bytes;
  };
  const auto open = [](const std::vector<std::byte>& bytes) { return h5::File::open_image(bytes, "x.h5"); };
  // 258 rows are few enough to be made up, as HDF5 does with rows that nobody wrote.
  CHECK(open(with_rows(1, 1)).read<std::uint8_t>("/rows").size() == 3 * 258);
  const std::string expected =
      "x.h5: /rows claims the shape [1099511627778, 3], but the file holds only 12 bytes of it";
  const h5::File file = open(with_rows(5, 1));
  CHECK(message_of(ExitCode::bad_data, [&] { (void)file.shape("/rows"); }) == expected);
  CHECK(message_of(ExitCode::bad_data, [&] { (void)file.read<float>("/rows"); }) == expected);
  CHECK(message_of(ExitCode::bad_data, [&] { (void)file.read_strings("/rows"); }) == expected);
}

TEST_CASE("what cannot be opened as an HDF5 file is said to be so") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "file.h5";
  const auto open = [&] { (void)h5::File::open(path); };

  CHECK(contains(message_of(ExitCode::file_system, open), "No such file or directory"));
  write_file_atomically(path, std::string_view("some text"));
  CHECK(message_of(ExitCode::bad_data, open) == path.string() + ": not an HDF5 file");
  write_file_atomically(path, std::string_view(""));
  CHECK(message_of(ExitCode::bad_data, open) == path.string() + ": not an HDF5 file");
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  CHECK(contains(message_of(ExitCode::file_system, open), "Is a directory"));
  CHECK(contains(message_of(ExitCode::bad_data, [] { (void)h5::File::open_image({}, "bytes"); }), "bytes: not"));

  std::filesystem::remove(path);
  h5::File written = h5::File::create(path, "file.h5");
  fill(written);
  written.close();
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  const std::string message = message_of(ExitCode::bad_data, open);
  CHECK(contains(message, path.string() + ": a damaged or incomplete HDF5 file"));
}

TEST_CASE("an HDF5 file can be written without a name and take its place when whole") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "file.h5";
  AtomicFile target(path);
  h5::File file = h5::File::create(target.path_for_writing(), path.string());
  fill(file);
  file.close();
  CHECK_FALSE(std::filesystem::exists(path));
  target.commit();
  check_filled(h5::File::open(path));
}
