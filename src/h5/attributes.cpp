// Attributes that are numbers.
#include <cstdint>

#include "file_state.hpp"

namespace mnist_dist::h5 {
namespace {

void write_number(const File::State& state, const std::string& name, hid_t file_type, hid_t memory_type,
                  const void* value) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  state.check_write(space.get(), name);
  const Handle attribute(H5Acreate2(state.id.get(), name.c_str(), file_type, space.get(), H5P_DEFAULT, H5P_DEFAULT),
                         H5Aclose);
  state.check_write(attribute.get(), name);
  state.check_write(H5Awrite(attribute.get(), memory_type, value), name);
  state.check_everything_was_written();
}

void read_number(const File::State& state, const std::string& name, hid_t memory_type, void* value) {
  const Handle attribute = state.open_attribute(name);
  const Handle space(H5Aget_space(attribute.get()), H5Sclose);
  const std::string object = "attribute " + name;
  if (state.check_read(H5Sget_simple_extent_npoints(space.get()), object) != 1) {
    state.fail_bad(object, "is not a single value");
  }
  const Handle type(H5Aget_type(attribute.get()), H5Tclose);
  const H5T_class_t kind = H5Tget_class(type.get());
  const bool wants_integer = H5Tget_class(memory_type) == H5T_INTEGER;
  if (kind != H5T_INTEGER && (wants_integer || kind != H5T_FLOAT)) {
    state.fail_bad(object, wants_integer ? "is not an integer" : "is not a number");
  }
  state.check_read(H5Aread(attribute.get(), memory_type, value), object);
}

}  // namespace

Handle File::State::open_attribute(const std::string& attribute) const {
  silence_library();
  Handle handle(H5Aopen(id.get(), attribute.c_str(), H5P_DEFAULT), H5Aclose);
  if (!handle.valid()) {
    if (status.error_number != 0) fail_reading(attribute);
    fail_bad("attribute " + attribute, "is missing");
  }
  return handle;
}

void File::write_attribute(const std::string& name, std::int64_t value) {
  silence_library();
  write_number(*state_, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

void File::write_attribute(const std::string& name, double value) {
  silence_library();
  write_number(*state_, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value);
}

bool File::has_attribute(const std::string& name) const {
  silence_library();
  return state_->check_read(H5Aexists(state_->id.get(), name.c_str()), name) > 0;
}

std::int64_t File::integer_attribute(const std::string& name) const {
  std::int64_t value = 0;
  read_number(*state_, name, H5T_NATIVE_INT64, &value);
  return value;
}

double File::real_attribute(const std::string& name) const {
  double value = 0.0;
  read_number(*state_, name, H5T_NATIVE_DOUBLE, &value);
  return value;
}

}  // namespace mnist_dist::h5
