// Data sets of numbers.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "file_state.hpp"

namespace mnist_dist::h5 {
namespace {

// The type of T in memory.
template <class T>
hid_t memory_type() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_NATIVE_INT32;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_NATIVE_UINT64;
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
}

// The type of T in a file: little-endian, whatever the machine.
template <class T>
hid_t file_type() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_STD_U8LE;
  if constexpr (std::is_same_v<T, std::int32_t>) return H5T_STD_I32LE;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_STD_I64LE;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_STD_U64LE;
  if constexpr (std::is_same_v<T, float>) return H5T_IEEE_F32LE;
  if constexpr (std::is_same_v<T, double>) return H5T_IEEE_F64LE;
}

std::vector<hsize_t> extent_of(const Shape& shape) {
  return {shape.begin(), shape.end()};
}

// The number of elements. A damaged file can claim any shape, so the product is checked.
std::size_t size_of(const File::State& state, const std::string& object, const Shape& shape) {
  std::size_t size = 1;
  for (const std::size_t extent : shape) {
    if (extent != 0 && size > std::numeric_limits<std::ptrdiff_t>::max() / sizeof(double) / extent) {
      state.fail_bad(object, fmt::format("has the impossible shape [{}]", fmt::join(shape, ", ")));
    }
    size *= extent;
  }
  return size;
}

// The shape of a data set that is to be read. A file of a few bytes can claim any shape, also where it is not damaged.
Shape believable_shape(const File::State& state, const std::string& object, const Handle& data_set) {
  constexpr std::size_t kHarmless = std::size_t{1} << 26;
  constexpr std::size_t kMaximumExpansion = 1032;  // of deflate
  const Handle space(H5Dget_space(data_set.get()), H5Sclose);
  const Handle type(H5Dget_type(data_set.get()), H5Tclose);
  Shape shape = state.shape_of(space, object);
  const std::size_t size = size_of(state, object, shape);
  const std::size_t element = std::max<std::size_t>(H5Tget_size(type.get()), 1);
  if (size <= kHarmless / element) return shape;
  const hsize_t stored = H5Dget_storage_size(data_set.get());
  if (size / kMaximumExpansion > stored / element) {
    state.fail_bad(object, fmt::format("claims the shape [{}], but the file holds only {} bytes of it",
                                       fmt::join(shape, ", "), stored));
  }
  return shape;
}

// A data set whose rows are read or written, and how many elements a row has.
struct Rows {
  Handle data_set;
  Handle space;
  Shape shape;
  std::size_t row_size = 0;
};

Rows open_rows(const File::State& state, const std::string& data_set) {
  Rows rows;
  rows.data_set = state.open_data_set(data_set);
  rows.space = Handle(H5Dget_space(rows.data_set.get()), H5Sclose);
  rows.shape = state.shape_of(rows.space, data_set);
  if (rows.shape.empty()) state.fail_bad(data_set, "has no rows: it is a single value");
  rows.row_size = size_of(state, data_set, Shape(rows.shape.begin() + 1, rows.shape.end()));
  if (rows.row_size == 0) state.fail_bad(data_set, "has rows without elements");
  return rows;
}

// Selects the rows [first, first + count) of `space`. @return the space of as many rows in memory
Handle select_rows(const File::State& state, const std::string& data_set, const Handle& space, const Shape& shape,
                   std::size_t first, std::size_t count) {
  std::vector<hsize_t> start(shape.size(), 0);
  std::vector<hsize_t> extent = extent_of(shape);
  start[0] = first;
  extent[0] = count;
  state.check_read(H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr),
                   data_set);
  Handle memory(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr), H5Sclose);
  state.check_read(memory.get(), data_set);
  return memory;
}

// Data sets carry no time stamps, so that the same content gives the same bytes.
Handle data_set_creation(const File::State& state, const std::string& data_set) {
  Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  state.check_write(creation.get(), data_set);
  state.check_write(H5Pset_obj_track_times(creation.get(), false), data_set);
  return creation;
}

}  // namespace

Shape File::shape(const std::string& data_set) const {
  return believable_shape(*state_, data_set, state_->open_data_set(data_set));
}

template <class T>
void File::write(const std::string& data_set, std::span<const T> values, const Shape& shape) {
  silence_library();
  if (size_of(*state_, data_set, shape) != values.size()) {
    throw Error(ExitCode::bug, fmt::format("{}: {} values for the shape [{}] of {}", state_->name, values.size(),
                                           fmt::join(shape, ", "), data_set));
  }
  const std::vector<hsize_t> extent = extent_of(shape);
  const Handle space(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr), H5Sclose);
  state_->check_write(space.get(), data_set);
  const Handle links = state_->link_creation(data_set);
  const Handle creation = data_set_creation(*state_, data_set);
  const Handle handle(H5Dcreate2(state_->id.get(), data_set.c_str(), file_type<T>(), space.get(), links.get(),
                                 creation.get(), H5P_DEFAULT),
                      H5Dclose);
  state_->check_write(handle.get(), data_set);
  if (!values.empty()) {
    state_->check_write(H5Dwrite(handle.get(), memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
                        data_set);
  }
  state_->check_everything_was_written();
}

template <class T>
std::vector<T> File::read(const std::string& data_set) const {
  const Handle handle = state_->open_data_set(data_set);
  const Shape shape = believable_shape(*state_, data_set, handle);
  std::vector<T> values;
  try {
    values.resize(size_of(*state_, data_set, shape));
  } catch (const std::bad_alloc&) {
    state_->fail_bad(data_set, fmt::format("[{}] does not fit into memory", fmt::join(shape, ", ")));
  }
  if (!values.empty()) {
    state_->check_read(H5Dread(handle.get(), memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), data_set);
  }
  return values;
}

template <class T>
std::vector<T> File::read(const std::string& data_set, const Shape& expected) const {
  const Shape found = shape(data_set);
  if (found != expected) {
    state_->fail_bad(
        data_set, fmt::format("has the shape [{}] instead of [{}]", fmt::join(found, ", "), fmt::join(expected, ", ")));
  }
  return read<T>(data_set);
}

template <class T>
void File::create_rows(const std::string& data_set, const RowStorage& storage) {
  silence_library();
  std::vector<hsize_t> extent = extent_of(storage.row_shape);
  extent.insert(extent.begin(), 0);
  std::vector<hsize_t> maximum = extent;
  maximum[0] = H5S_UNLIMITED;
  std::vector<hsize_t> chunk = extent;
  chunk[0] = storage.rows_per_chunk;
  const int rank = static_cast<int>(extent.size());
  const Handle space(H5Screate_simple(rank, extent.data(), maximum.data()), H5Sclose);
  state_->check_write(space.get(), data_set);
  const Handle links = state_->link_creation(data_set);
  const Handle creation = data_set_creation(*state_, data_set);
  state_->check_write(H5Pset_chunk(creation.get(), rank, chunk.data()), data_set);
  // The unused end of the last chunk: zeros rather than whatever was in memory.
  state_->check_write(H5Pset_fill_time(creation.get(), H5D_FILL_TIME_ALLOC), data_set);
  if (storage.gzip > 0) {
    state_->check_write(H5Pset_deflate(creation.get(), static_cast<unsigned>(storage.gzip)), data_set);
  }
  const Handle handle(H5Dcreate2(state_->id.get(), data_set.c_str(), file_type<T>(), space.get(), links.get(),
                                 creation.get(), H5P_DEFAULT),
                      H5Dclose);
  state_->check_write(handle.get(), data_set);
  state_->check_everything_was_written();
}

template <class T>
void File::append_rows(const std::string& data_set, std::span<const T> values) {
  Rows rows = open_rows(*state_, data_set);
  const std::size_t first = rows.shape[0];
  const std::size_t count = values.size() / rows.row_size;
  if (count == 0) return;
  rows.shape[0] += count;
  const std::vector<hsize_t> extent = extent_of(rows.shape);
  state_->check_write(H5Dset_extent(rows.data_set.get(), extent.data()), data_set);
  const Handle grown(H5Dget_space(rows.data_set.get()), H5Sclose);
  const Handle memory = select_rows(*state_, data_set, grown, rows.shape, first, count);
  state_->check_write(
      H5Dwrite(rows.data_set.get(), memory_type<T>(), memory.get(), grown.get(), H5P_DEFAULT, values.data()), data_set);
  if (!rows.data_set.close()) state_->fail_writing(data_set);
  state_->check_everything_was_written();
}

template <class T>
void File::read_rows(const std::string& data_set, std::size_t first, std::span<T> values) const {
  const Rows rows = open_rows(*state_, data_set);
  const std::size_t count = values.size() / rows.row_size;
  if (values.size() % rows.row_size != 0 || first > rows.shape[0] || count > rows.shape[0] - first) {
    state_->fail_bad(data_set, fmt::format("has the shape [{}]: it does not hold {} values from row {} on",
                                           fmt::join(rows.shape, ", "), values.size(), first));
  }
  if (count == 0) return;
  const Handle memory = select_rows(*state_, data_set, rows.space, rows.shape, first, count);
  state_->check_read(
      H5Dread(rows.data_set.get(), memory_type<T>(), memory.get(), rows.space.get(), H5P_DEFAULT, values.data()),
      data_set);
}

#define MNIST_DIST_H5_INSTANTIATE(T)                                               \
  template void File::write(const std::string&, std::span<const T>, const Shape&); \
  template std::vector<T> File::read(const std::string&) const;                    \
  template std::vector<T> File::read(const std::string&, const Shape&) const;      \
  template void File::create_rows<T>(const std::string&, const RowStorage&);       \
  template void File::append_rows(const std::string&, std::span<const T>);         \
  template void File::read_rows(const std::string&, std::size_t, std::span<T>) const

MNIST_DIST_H5_INSTANTIATE(std::uint8_t);
MNIST_DIST_H5_INSTANTIATE(std::int32_t);
MNIST_DIST_H5_INSTANTIATE(std::int64_t);
MNIST_DIST_H5_INSTANTIATE(std::uint64_t);
MNIST_DIST_H5_INSTANTIATE(float);
MNIST_DIST_H5_INSTANTIATE(double);

#undef MNIST_DIST_H5_INSTANTIATE

}  // namespace mnist_dist::h5
