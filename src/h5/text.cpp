// Text: data sets of strings, and attributes.
//
// Strings have a fixed size, padded with zeros. Those of variable size lie in a heap, which HDF5 1.10 does not survive
// where it is damaged: they are neither written nor read.
#include <algorithm>
#include <cstring>

#include "file_state.hpp"

namespace mnist_dist::h5 {
namespace {

constexpr std::size_t kMaximumTextBytes = std::size_t{1} << 34;

// The strings of a data set or an attribute; the two differ in the function that reads them.
template <class Read>
std::vector<std::string> read_text(const File::State& state, const std::string& object, const Handle& type,
                                   const Handle& space, Read read) {
  state.check_read(type.get(), object);
  state.check_read(space.get(), object);
  if (H5Tget_class(type.get()) != H5T_STRING) state.fail_bad(object, "is not text");
  const auto count = static_cast<std::size_t>(state.check_read(H5Sget_simple_extent_npoints(space.get()), object));
  std::vector<std::string> values;
  if (count == 0) return values;
  const std::size_t size = H5Tget_size(type.get());
  // Every string takes a byte and more in the file, so a damaged file that claims more is found out.
  if (count > kMaximumTextBytes / size) state.fail_bad(object, "claims more text than any file has");
  values.reserve(count);
  if (state.check_read(H5Tis_variable_str(type.get()), object) > 0) {
    state.fail_bad(object,
                   "is text of variable size, which HDF5 cannot read safely from a damaged file: pack or write "
                   "the file anew, with text of fixed size");
  }
  const bool padded_with_spaces = H5Tget_strpad(type.get()) == H5T_STR_SPACEPAD;
  std::vector<char> characters(count * size);
  state.check_read(read(characters.data()), object);
  for (std::size_t i = 0; i < count; ++i) {
    std::string text(characters.data() + i * size, size);
    text.resize(std::strlen(text.c_str()));
    if (padded_with_spaces) text.erase(text.find_last_not_of(' ') + 1);
    values.push_back(std::move(text));
  }
  return values;
}

}  // namespace

void File::write_strings(const std::string& data_set, std::span<const std::string> values) {
  silence_library();
  std::size_t size = 1;
  for (const std::string& value : values) size = std::max(size, value.size());
  std::vector<char> characters(values.size() * size, '\0');
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::copy(values[i].begin(), values[i].end(), characters.begin() + static_cast<std::ptrdiff_t>(i * size));
  }
  const Handle type = text_type(size);
  state_->check_write(type.get(), data_set);
  const hsize_t count = values.size();
  const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  state_->check_write(space.get(), data_set);
  const Handle links = state_->link_creation(data_set);
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  state_->check_write(creation.get(), data_set);
  state_->check_write(H5Pset_obj_track_times(creation.get(), false), data_set);
  const Handle handle(
      H5Dcreate2(state_->id.get(), data_set.c_str(), type.get(), space.get(), links.get(), creation.get(), H5P_DEFAULT),
      H5Dclose);
  state_->check_write(handle.get(), data_set);
  if (count > 0) {
    state_->check_write(H5Dwrite(handle.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, characters.data()), data_set);
  }
  state_->check_everything_was_written();
}

std::vector<std::string> File::read_strings(const std::string& data_set) const {
  (void)shape(data_set);  // refuses what claims more than the file holds
  const Handle handle = state_->open_data_set(data_set);
  const Handle type(H5Dget_type(handle.get()), H5Tclose);
  const Handle space(H5Dget_space(handle.get()), H5Sclose);
  return read_text(*state_, data_set, type, space, [&](void* buffer) {
    return H5Dread(handle.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer);
  });
}

void File::write_attribute(const std::string& name, const std::string& value) {
  silence_library();
  const std::string padded = value.empty() ? std::string(1, '\0') : value;
  const Handle type = text_type(padded.size());
  state_->check_write(type.get(), name);
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  state_->check_write(space.get(), name);
  const Handle attribute(H5Acreate2(state_->id.get(), name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT),
                         H5Aclose);
  state_->check_write(attribute.get(), name);
  state_->check_write(H5Awrite(attribute.get(), type.get(), padded.data()), name);
  state_->check_everything_was_written();
}

std::string File::string_attribute(const std::string& name) const {
  const Handle attribute = state_->open_attribute(name);
  const Handle type(H5Aget_type(attribute.get()), H5Tclose);
  const Handle space(H5Aget_space(attribute.get()), H5Sclose);
  const std::vector<std::string> values = read_text(*state_, "attribute " + name, type, space, [&](void* buffer) {
    return H5Aread(attribute.get(), type.get(), buffer);
  });
  if (values.size() != 1) state_->fail_bad("attribute " + name, "is not a single value");
  return values.front();
}

}  // namespace mnist_dist::h5
