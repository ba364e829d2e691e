#include "mnist_dist/h5/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "file_state.hpp"
#include "mnist_dist/core/read_file.hpp"

namespace mnist_dist::h5 {
namespace {

// How much memory a file in memory grows by at a time.
constexpr std::size_t kMemoryIncrement = std::size_t{1} << 16;

Handle file_access(const std::string& name) {
  silence_library();
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  if (!access.valid() || H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG) < 0) {
    throw Error(ExitCode::bug, fmt::format("{}: HDF5 is not usable: {}", name, library_reason()));
  }
  return access;
}

[[noreturn]] void fail_set_up(const std::string& name) {
  throw Error(ExitCode::bug, fmt::format("{}: HDF5 cannot be set up: {}", name, library_reason()));
}

// HDF5 takes two open files in memory for one when they have the same name, and looks for a real file of that
// name.
std::string name_in_memory() {
  static std::atomic<unsigned> count = 0;
  return fmt::format("/in memory/{}", ++count);
}

constexpr std::array<unsigned char, 8> kSignature = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

bool starts_with_signature(std::span<const std::byte> bytes) {
  return bytes.size() >= kSignature.size() && std::memcmp(bytes.data(), kSignature.data(), kSignature.size()) == 0;
}

bool file_starts_with_signature(const std::filesystem::path& path) {
  std::array<char, kSignature.size()> start{};
  std::ifstream stream(path, std::ios::binary);
  stream.read(start.data(), start.size());
  return starts_with_signature(
      std::as_bytes(std::span(start.data(), static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)))));
}

[[noreturn]] void fail_opening(const std::string& name, bool has_signature) {
  if (!has_signature) throw Error(ExitCode::bad_data, fmt::format("{}: not an HDF5 file", name));
  throw Error(ExitCode::bad_data, fmt::format("{}: a damaged or incomplete HDF5 file ({})", name, library_reason()));
}

}  // namespace

File::File(std::unique_ptr<State> state) : state_(std::move(state)) {}
File::File(File&&) noexcept = default;
File& File::operator=(File&&) noexcept = default;
File::~File() = default;

File File::open(const std::filesystem::path& path) {
  auto state = std::make_unique<State>();
  state->name = printable(path.string());
  check_regular_file(path);
  const Handle access = file_access(state->name);
  if (use_descriptor_driver(access.get(), state->status) < 0) fail_set_up(state->name);
  state->id = Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (state->status.error_number != 0) {
    throw file_error(fmt::format("cannot read {}", state->name), state->status.error_number);
  }
  if (!state->id.valid()) fail_opening(state->name, file_starts_with_signature(path));
  return File(std::move(state));
}

File File::open_image(std::span<const std::byte> bytes, const std::string& name) {
  auto state = std::make_unique<State>();
  state->name = printable(name);
  const Handle access = file_access(state->name);
  // HDF5 copies the bytes, so that `bytes` may go away; the pointer to mutable is its interface's fault.
  if (H5Pset_fapl_core(access.get(), kMemoryIncrement, false) < 0 ||
      (!bytes.empty() && H5Pset_file_image(access.get(), const_cast<std::byte*>(bytes.data()), bytes.size()) < 0)) {
    fail_set_up(state->name);
  }
  if (!starts_with_signature(bytes)) fail_opening(state->name, false);
  state->id = Handle(H5Fopen(name_in_memory().c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!state->id.valid()) fail_opening(state->name, true);
  return File(std::move(state));
}

File File::create(const std::filesystem::path& path, const std::string& name) {
  auto state = std::make_unique<State>();
  state->name = printable(name);
  state->writable = true;
  const Handle access = file_access(state->name);
  if (use_descriptor_driver(access.get(), state->status) < 0) fail_set_up(state->name);
  state->id = Handle(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose);
  state->check_everything_was_written();
  if (!state->id.valid()) state->fail_writing("/");
  return File(std::move(state));
}

File File::create_in_memory(const std::string& name) {
  auto state = std::make_unique<State>();
  state->name = printable(name);
  state->writable = true;
  const Handle access = file_access(state->name);
  if (H5Pset_fapl_core(access.get(), kMemoryIncrement, false) < 0) fail_set_up(state->name);
  state->id = Handle(H5Fcreate(name_in_memory().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()), H5Fclose);
  if (!state->id.valid()) state->fail_writing("/");
  return File(std::move(state));
}

void File::close() {
  if (!state_->id.valid()) return;
  const bool closed = state_->id.close();
  state_->check_everything_was_written();
  if (!closed) state_->fail_writing("/");
}

std::vector<std::byte> File::image() {
  state_->check_write(H5Fflush(state_->id.get(), H5F_SCOPE_GLOBAL), "/");
  const ssize_t size = state_->check_write(H5Fget_file_image(state_->id.get(), nullptr, 0), "/");
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  state_->check_write(H5Fget_file_image(state_->id.get(), bytes.data(), bytes.size()), "/");
  return bytes;
}

bool File::has(const std::string& object) const {
  silence_library();
  // H5Lexists wants every group on the way to exist.
  for (std::size_t end = object.find('/', 1); end != std::string::npos; end = object.find('/', end + 1)) {
    if (state_->check_read(H5Lexists(state_->id.get(), object.substr(0, end).c_str(), H5P_DEFAULT), object) == 0) {
      return false;
    }
  }
  return state_->check_read(H5Lexists(state_->id.get(), object.c_str(), H5P_DEFAULT), object) > 0;
}

}  // namespace mnist_dist::h5
