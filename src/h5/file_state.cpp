#include "file_state.hpp"

#include <fmt/format.h>

namespace mnist_dist::h5 {
namespace {

extern "C" herr_t take_description(unsigned /*depth*/, const H5E_error2_t* entry, void* text) {
  auto& reason = *static_cast<std::string*>(text);
  if (entry->desc != nullptr) reason = entry->desc;
  return reason.empty() ? 0 : 1;
}

bool prepare_library() {
  // Without this HDF5 would, as the process ends, try once more to write what it could not write, and
  // complain. Every file is closed by its owner, so there is nothing else for it to do then.
  constexpr int kMebibyte = 1 << 20;
  // Each open file has a table of half a megabyte. HDF5 is to keep what it has of them, as it keeps what is smaller;
  // the other limits are its own.
  return H5dont_atexit() >= 0 && H5open() >= 0 &&
         H5set_free_list_limits(4 * kMebibyte, 2 * kMebibyte, 4 * kMebibyte, kMebibyte / 4, 16 * kMebibyte,
                                kMebibyte) >= 0;
}

}  // namespace

void silence_library() {
  static const bool prepared = prepare_library();
  // The setting belongs to a thread where HDF5 is built for threads.
  thread_local const bool silent = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  static_cast<void>(prepared);
  static_cast<void>(silent);
}

std::string library_reason() {
  std::string reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_description, &reason);
  return reason.empty() ? "no reason given" : printable(reason);
}

void File::State::check_everything_was_written() const {
  if (status.error_number != 0) throw file_error(fmt::format("cannot write {}", name), status.error_number);
}

void File::State::fail_reading(const std::string& object) const {
  if (status.error_number != 0) throw file_error(fmt::format("cannot read {}", name), status.error_number);
  fail_bad(object, fmt::format("cannot be read ({})", library_reason()));
}

void File::State::fail_writing(const std::string& object) const {
  check_everything_was_written();
  throw Error(ExitCode::file_system, fmt::format("{}: cannot write {}: {}", name, object, library_reason()));
}

void File::State::fail_bad(const std::string& object, const std::string& what) const {
  throw Error(ExitCode::bad_data, fmt::format("{}: {} {}", name, printable(object), what));
}

Handle File::State::open_data_set(const std::string& data_set) const {
  silence_library();
  Handle handle(H5Dopen2(id.get(), data_set.c_str(), H5P_DEFAULT), H5Dclose);
  if (!handle.valid()) {
    if (status.error_number != 0) fail_reading(data_set);
    fail_bad(data_set, "is missing or not a data set");
  }
  return handle;
}

Shape File::State::shape_of(const Handle& space, const std::string& object) const {
  const int rank = check_read(H5Sget_simple_extent_ndims(space.get()), object);
  std::vector<hsize_t> extent(static_cast<std::size_t>(rank));
  check_read(H5Sget_simple_extent_dims(space.get(), extent.data(), nullptr), object);
  return {extent.begin(), extent.end()};
}

Handle File::State::link_creation(const std::string& object) const {
  Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  check_write(links.get(), object);
  check_write(H5Pset_create_intermediate_group(links.get(), 1), object);
  return links;
}

Handle text_type(std::size_t size) {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  const bool made = type.valid() && H5Tset_size(type.get(), size) >= 0 && H5Tset_cset(type.get(), H5T_CSET_UTF8) >= 0 &&
                    H5Tset_strpad(type.get(), H5T_STR_NULLPAD) >= 0;
  return made ? std::move(type) : Handle();
}

}  // namespace mnist_dist::h5
