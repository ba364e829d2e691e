#include "odd_file.hpp"

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <string_view>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/sealed_bytes.hpp"

namespace mnist_dist::fuzz {
namespace {

constexpr int kMostObjects = 32;  // of a file
constexpr std::uint64_t kExtents[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100};
constexpr std::uint64_t kHugeExtents[] = {0,          1,          255,        1U << 16,   1U << 24,
                                          1ULL << 31, 1ULL << 32, 1ULL << 33, 1ULL << 40, 1ULL << 62};
constexpr std::int64_t kIntegers[] = {0,
                                      1,
                                      2,
                                      3,
                                      4,
                                      -1,
                                      255,
                                      -1000,
                                      1LL << 31,
                                      1LL << 32,
                                      1LL << 40,
                                      std::numeric_limits<std::int64_t>::max(),
                                      std::numeric_limits<std::int64_t>::min()};
constexpr double kReals[] = {0,
                             -0.0,
                             1,
                             -1,
                             1e-320,
                             1e38,
                             1e39,
                             -1e300,
                             std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()};

template <class Values>
auto pick(const Values& values, std::uint64_t number) {
  return values[number % std::size(values)];
}

std::size_t size_of(const h5::Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

/// Same odd values as T, all alike or in turns.
template <class T>
std::vector<T> odd_values(std::size_t size, std::uint64_t number) {
  std::vector<T> values(size);
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t chosen = number % 2 == 0 ? number / 2 : number / 2 + i;
    if constexpr (std::is_floating_point_v<T>) {
      const double value = pick(kReals, chosen);
      values[i] =
          std::abs(value) > std::numeric_limits<T>::max() ? std::numeric_limits<T>::max() : static_cast<T>(value);
      if (std::isinf(value)) values[i] = static_cast<T>(value);
    } else {
      values[i] = static_cast<T>(pick(kIntegers, chosen));
    }
  }
  return values;
}

template <class T>
void write_odd(h5::File& file, const std::string& name, const h5::Shape& shape, std::uint64_t number) {
  const std::vector<T> values = odd_values<T>(size_of(shape), number);
  file.write(name, std::span<const T>(values), shape);
}

void write_of_any_type(h5::File& file, const std::string& name, const h5::Shape& shape, const std::string& text,
                       std::uint64_t number) {
  switch (number % 8) {
    case 0:
      return write_odd<std::uint8_t>(file, name, shape, number / 8);
    case 1:
      return write_odd<std::int32_t>(file, name, shape, number / 8);
    case 2:
      return write_odd<std::int64_t>(file, name, shape, number / 8);
    case 3:
      return write_odd<std::uint64_t>(file, name, shape, number / 8);
    case 4:
      return write_odd<double>(file, name, shape, number / 8);
    case 5:  // text has one dimension
      return file.write_strings(name, std::vector<std::string>(shape.empty() ? 1 : shape[0], text));
    default:
      return write_odd<float>(file, name, shape, number / 8);
  }
}

}  // namespace

OddFile::OddFile(FuzzedDataProvider& choices) : file_(h5::File::create_in_memory("odd")) {
  for (int count = choices.ConsumeIntegralInRange(0, 3); count > 0; --count) {
    Edit& edit = edits_[choices.ConsumeIntegralInRange(0, kMostObjects - 1)];
    edit.kind = choices.ConsumeIntegralInRange(0, 7);
    edit.number = choices.ConsumeIntegral<std::uint16_t>();
    for (int rank = choices.ConsumeIntegralInRange(0, 5); rank > 0; --rank) {
      edit.shape.push_back(choices.ConsumeIntegral<std::uint8_t>());
    }
    edit.text = choices.ConsumeRandomLengthString(40);
  }
}

const OddFile::Edit* OddFile::next_edit() {
  const auto found = edits_.find(next_++);
  return found == edits_.end() ? nullptr : &found->second;
}

template <class T>
void OddFile::attribute(const std::string& name, const T& value) {
  if (const Edit* edit = next_edit()) return odd_attribute(name, *edit);
  file_.write_attribute(name, value);
}

void OddFile::odd_attribute(const std::string& name, const Edit& edit) {
  switch (edit.kind) {
    case 0:
      return;
    case 1:
      return file_.write_attribute(name, pick(kReals, edit.number));
    case 2:
      return file_.write_attribute(name, static_cast<std::int64_t>(edit.number % 40));
    case 3:
      return file_.write_attribute(name, pick(kIntegers, edit.number));
    case 4:
      return file_.write_attribute(name, std::string());
    case 5:
      return file_.write_attribute(name, std::string(edit.number % 20000, 'x'));
    default:
      return file_.write_attribute(name, edit.text);
  }
}

template <class T>
void OddFile::numbers(const std::string& name, const h5::Shape& shape, T first) {
  if (const Edit* edit = next_edit()) return odd_data_set(name, shape, *edit);
  std::vector<T> values(size_of(shape));
  for (T& value : values) value = first++;
  file_.write(name, std::span<const T>(values), shape);
}

void OddFile::strings(const std::string& name, const std::vector<std::string>& values) {
  const Edit* edit = next_edit();
  if (edit == nullptr) return file_.write_strings(name, values);
  if (edit->kind != 6) return odd_data_set(name, {values.size()}, *edit);
  std::vector<std::string> changed = values;
  if (!changed.empty()) changed[edit->number % changed.size()] = edit->text;
  file_.write_strings(name, changed);
}

void OddFile::odd_data_set(const std::string& name, const h5::Shape& shape, const Edit& edit) {
  try {
    write_odd_data_set(name, shape, edit);
  } catch (const Error&) {
    // HDF5 does not write such a thing, so the object is left out.
  }
}

void OddFile::write_odd_data_set(const std::string& name, const h5::Shape& shape, const Edit& edit) {
  h5::Shape other;
  for (const std::size_t choice : edit.shape) other.push_back(pick(kExtents, choice));
  if (size_of(other) > 100000) other.resize(2);
  h5::Shape changed = shape;
  switch (edit.kind) {
    case 0:
      return;
    case 1:
      return write_of_any_type(file_, name, other, edit.text, edit.number);
    case 2:
      return write_of_any_type(file_, name, shape, edit.text, edit.number);
    case 3:  // a group
      return write_odd<float>(file_, name + "/inside", {}, 0);
    case 4:
      if (!other.empty()) file_.create_rows<float>(name, {{other.begin() + 1, other.end()}, 10, 0});
      return;
    case 5:
      write_odd<float>(file_, name, shape, 0);
      for (std::size_t i = 0; i < std::min(shape.size(), edit.shape.size()); ++i) {
        changed[i] = pick(kHugeExtents, edit.shape[i]);
      }
      claims_.emplace_back(shape, changed);
      return;
    default:
      if (!changed.empty()) changed[edit.number % changed.size()] += edit.number % 3 == 0 ? 1 : -1;
      return write_odd<float>(file_, name, changed, edit.number);
  }
}

/// The first data set of this shape gets another one, without more values. HDF5's message of a simple space is:
/// version, rank, flags, five bytes, then 8 bytes for each extent ("HDF5 File Format Specification", IV.A.2.b).
void OddFile::claim_shape(std::vector<std::byte>& bytes, const h5::Shape& shape, const h5::Shape& claimed) const {
  std::vector<std::byte> message = {std::byte{1}, std::byte(shape.size())};
  message.resize(8);
  const auto with = [&](const h5::Shape& extents) {
    std::vector<std::byte> whole = message;
    for (const std::uint64_t extent : extents) {
      const auto raw = std::bit_cast<std::array<std::byte, 8>>(extent);
      whole.insert(whole.end(), raw.begin(), raw.end());
    }
    return whole;
  };
  for (const std::byte flags : {std::byte{0}, std::byte{1}}) {
    message[2] = flags;  // 1: the largest extents follow
    const std::vector<std::byte> old = with(shape);
    const auto place = std::search(bytes.begin(), bytes.end(), old.begin(), old.end());
    if (place == bytes.end()) continue;
    std::ranges::copy(with(claimed), place);
    return;
  }
}

std::vector<std::byte> OddFile::sealed() {
  std::vector<std::byte> bytes = file_.image();
  file_.close();
  for (const auto& [shape, claimed] : claims_) claim_shape(bytes, shape, claimed);
  seal(bytes);
  return bytes;
}

std::vector<std::byte> sealed_anew(std::span<const std::uint8_t> bytes) {
  const std::span<const std::byte> raw = std::as_bytes(bytes);
  std::vector<std::byte> result(raw.begin(), raw.end());
  const std::string seal_start = "\nmnist-dist sha256 ";
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (const std::size_t place = text.rfind(seal_start); place != std::string_view::npos) result.resize(place);
  seal(result);
  return result;
}

bool is_whole_file(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
  return bytes.size() >= kSignature.size() && std::memcmp(bytes.data(), kSignature.data(), kSignature.size()) == 0;
}

template void OddFile::attribute(const std::string&, const std::string&);
template void OddFile::attribute(const std::string&, const std::int64_t&);
template void OddFile::attribute(const std::string&, const double&);
template void OddFile::numbers(const std::string&, const h5::Shape&, std::uint8_t);
template void OddFile::numbers(const std::string&, const h5::Shape&, std::int32_t);
template void OddFile::numbers(const std::string&, const h5::Shape&, std::int64_t);
template void OddFile::numbers(const std::string&, const h5::Shape&, float);
template void OddFile::numbers(const std::string&, const h5::Shape&, double);

}  // namespace mnist_dist::fuzz
