#include "idx_file.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <limits>
#include <memory>

#include "mnist_dist/core/counted.hpp"
#include "mnist_dist/core/error.hpp"

namespace mnist_dist::data {
namespace {

// Deflate cannot make more than this many bytes of one.
constexpr std::size_t kMaximumExpansion = 1032;
constexpr std::size_t kBytesPerRead = std::size_t{1} << 24;

struct CloseStream {
  void operator()(gzFile stream) const { gzclose_r(stream); }
};

class IdxReader {
 public:
  explicit IdxReader(const std::filesystem::path& path) : path_(path), stream_(gzopen(path.c_str(), "rb")) {
    if (stream_ == nullptr) throw file_error(fmt::format("cannot read {}", printable(path.string())), errno);
    gzbuffer(stream_.get(), 1U << 17);
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ExitCode::bad_data, fmt::format("{}: {}", printable(path_.string()), what));
  }

  // @return how many bytes there were, at most `size`
  std::size_t read(std::uint8_t* buffer, std::size_t size) {
    std::size_t used = 0;
    while (used < size) {
      const auto wanted = static_cast<unsigned>(std::min(size - used, kBytesPerRead));
      const int count = gzread(stream_.get(), buffer + used, wanted);
      if (count < 0) fail_reading();
      used += static_cast<std::size_t>(count);
      if (static_cast<unsigned>(count) < wanted) break;
    }
    return used;
  }

  // How many bytes the file can hold at the most, by its size on disk.
  [[nodiscard]] std::size_t size_limit() const {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(path_, error);
    if (error) throw file_error(fmt::format("cannot read {}", printable(path_.string())), error.value());
    return gzdirect(stream_.get()) != 0 ? size : (size + 1) * kMaximumExpansion;
  }

  // A gzip stream that is cut short is an error for zlib only once its end is asked for.
  void check_end() {
    std::uint8_t byte = 0;
    if (read(&byte, 1) != 0) fail("holds more than its header says");
    int error = Z_OK;
    gzerror(stream_.get(), &error);
    if (error != Z_OK) fail_reading();
  }

  [[noreturn]] void fail_reading() const {
    int error = Z_OK;
    const char* message = gzerror(stream_.get(), &error);
    if (error == Z_ERRNO) throw file_error(fmt::format("cannot read {}", printable(path_.string())), errno);
    fail(error == Z_BUF_ERROR ? "truncated" : fmt::format("damaged gzip file ({})", printable(message)));
  }

 private:
  std::filesystem::path path_;
  std::unique_ptr<gzFile_s, CloseStream> stream_;
};

std::size_t read_extent(IdxReader& reader) {
  std::array<std::uint8_t, 4> bytes{};
  if (reader.read(bytes.data(), bytes.size()) != bytes.size()) reader.fail("truncated");
  std::size_t extent = 0;
  for (const std::uint8_t byte : bytes) extent = extent << 8 | byte;
  return extent;
}

}  // namespace

IdxFile read_idx_file(const std::filesystem::path& path, std::size_t dimensions) {
  IdxReader reader(path);
  std::array<std::uint8_t, 4> magic{};
  const std::size_t magic_size = reader.read(magic.data(), magic.size());
  // Two zero bytes, 8 for "unsigned bytes", the number of dimensions.
  const std::array<std::uint8_t, 4> wanted{0, 0, 8, static_cast<std::uint8_t>(dimensions)};
  if (magic_size != magic.size() || magic != wanted) {
    reader.fail(fmt::format("not an IDX file of bytes with {}", counted(dimensions, "dimension")));
  }
  IdxFile file;
  std::size_t size = 1;
  for (std::size_t i = 0; i < dimensions; ++i) {
    file.extents.push_back(read_extent(reader));
    const std::size_t extent = file.extents.back();
    size = extent != 0 && size > std::numeric_limits<std::ptrdiff_t>::max() / extent
               ? std::numeric_limits<std::ptrdiff_t>::max()
               : size * extent;
  }
  // Before memory is taken on the word of the header.
  if (size > reader.size_limit()) reader.fail(fmt::format("truncated: its header announces {} bytes", size));
  file.values.resize(size);
  const std::size_t found = reader.read(file.values.data(), size);
  if (found != size) reader.fail(fmt::format("truncated: {} of {} bytes", found, size));
  reader.check_end();
  return file;
}

}  // namespace mnist_dist::data
