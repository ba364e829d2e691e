#include "descriptor_driver.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

#include "mnist_dist/core/retry.hpp"

#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

namespace mnist_dist::h5 {
namespace {

// What a file access property list carries for the driver.
struct DriverInfo {
  DriverStatus* status;
};

struct DescriptorFile {
  H5FD_t base;  // HDF5's own part; must come first
  int descriptor;
  bool writable;
  haddr_t end_of_allocation;
  haddr_t end_of_file;
  DriverStatus* status;
};

constexpr haddr_t kMaximumAddress = static_cast<haddr_t>(std::numeric_limits<off_t>::max());

DescriptorFile& file_of(H5FD_t* base) {
  return *reinterpret_cast<DescriptorFile*>(base);
}
const DescriptorFile& file_of(const H5FD_t* base) {
  return *reinterpret_cast<const DescriptorFile*>(base);
}

void note_failure(DescriptorFile& file, int error_number) {
  if (file.status->error_number == 0) file.status->error_number = error_number;
}

extern "C" {

H5FD_t* descriptor_open(const char* name, unsigned flags, hid_t file_access, haddr_t /*maximum*/) {
  const auto* info = static_cast<const DriverInfo*>(H5Pget_driver_info(file_access));
  if (info == nullptr) return nullptr;
  int mode = (flags & H5F_ACC_RDWR) != 0 ? O_RDWR : O_RDONLY;
  if ((flags & H5F_ACC_CREAT) != 0) mode |= O_CREAT;
  if ((flags & H5F_ACC_TRUNC) != 0) mode |= O_TRUNC;
  if ((flags & H5F_ACC_EXCL) != 0) mode |= O_EXCL;
  const int descriptor = retry([&] { return open(name, mode | O_CLOEXEC, 0666); });
  struct stat status {};
  if (descriptor < 0 || fstat(descriptor, &status) != 0 || S_ISDIR(status.st_mode)) {
    info->status->error_number = S_ISDIR(status.st_mode) ? EISDIR : errno;
    if (descriptor >= 0) close(descriptor);
    return nullptr;
  }
  auto file = std::unique_ptr<DescriptorFile>(new (std::nothrow) DescriptorFile{});
  if (file == nullptr) {
    info->status->error_number = ENOMEM;
    close(descriptor);
    return nullptr;
  }
  file->descriptor = descriptor;
  file->writable = (flags & H5F_ACC_RDWR) != 0;
  file->end_of_file = static_cast<haddr_t>(status.st_size);
  file->status = info->status;
  return &file.release()->base;
}

herr_t descriptor_close(H5FD_t* base) {
  const std::unique_ptr<DescriptorFile> file(&file_of(base));
  if (close_once(file->descriptor) != 0 && file->writable) note_failure(*file, errno);
  return 0;
}

herr_t descriptor_query(const H5FD_t* /*base*/, unsigned long* flags) {
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
  return 0;
}

haddr_t descriptor_get_end_of_allocation(const H5FD_t* base, H5FD_mem_t /*type*/) {
  return file_of(base).end_of_allocation;
}

herr_t descriptor_set_end_of_allocation(H5FD_t* base, H5FD_mem_t /*type*/, haddr_t address) {
  file_of(base).end_of_allocation = address;
  return 0;
}

haddr_t descriptor_get_end_of_file(const H5FD_t* base, H5FD_mem_t /*type*/) {
  return file_of(base).end_of_file;
}

herr_t descriptor_read(H5FD_t* base, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address, size_t size,
                       void* buffer) {
  DescriptorFile& file = file_of(base);
  auto* next = static_cast<char*>(buffer);
  while (size > 0) {
    const ssize_t count = retry([&] { return pread(file.descriptor, next, size, static_cast<off_t>(address)); });
    if (count < 0) {
      note_failure(file, errno);
      return -1;
    }
    if (count == 0) {  // past the end: what was allocated and never written reads as zero
      std::memset(next, 0, size);
      return 0;
    }
    next += count;
    address += static_cast<haddr_t>(count);
    size -= static_cast<size_t>(count);
  }
  return 0;
}

herr_t descriptor_write(H5FD_t* base, H5FD_mem_t /*type*/, hid_t /*transfer*/, haddr_t address, size_t size,
                        const void* buffer) {
  DescriptorFile& file = file_of(base);
  const auto* next = static_cast<const char*>(buffer);
  while (size > 0 && file.status->error_number == 0) {
    const ssize_t count = retry([&] { return pwrite(file.descriptor, next, size, static_cast<off_t>(address)); });
    if (count < 0) {
      note_failure(file, errno);
      break;
    }
    next += count;
    address += static_cast<haddr_t>(count);
    size -= static_cast<size_t>(count);
  }
  file.end_of_file = std::max(file.end_of_file, address + size);
  return 0;
}

herr_t descriptor_truncate(H5FD_t* base, hid_t /*transfer*/, hbool_t /*closing*/) {
  DescriptorFile& file = file_of(base);
  if (file.end_of_file == file.end_of_allocation) return 0;
  const auto truncate = [&] { return ftruncate(file.descriptor, static_cast<off_t>(file.end_of_allocation)); };
  if (file.status->error_number == 0 && retry(truncate) != 0) note_failure(file, errno);
  file.end_of_file = file.end_of_allocation;
  return 0;
}

}  // extern "C"

H5FD_class_t make_driver_class() {
  H5FD_class_t driver{};
#if H5_VERSION_GE(1, 13, 0)
  driver.version = H5FD_CLASS_VERSION;
  driver.value = 500;  // of the range that HDF5 leaves to unregistered drivers (256 to 511)
#endif
  driver.name = "mnist_dist_descriptor";
  driver.maxaddr = kMaximumAddress;
  driver.fc_degree = H5F_CLOSE_STRONG;
  driver.fapl_size = sizeof(DriverInfo);
  driver.open = descriptor_open;
  driver.close = descriptor_close;
  driver.query = descriptor_query;
  driver.get_eoa = descriptor_get_end_of_allocation;
  driver.set_eoa = descriptor_set_end_of_allocation;
  driver.get_eof = descriptor_get_end_of_file;
  driver.read = descriptor_read;
  driver.write = descriptor_write;
  driver.truncate = descriptor_truncate;
  const H5FD_mem_t free_lists[H5FD_MEM_NTYPES] = H5FD_FLMAP_DICHOTOMY;
  std::copy_n(free_lists, static_cast<int>(H5FD_MEM_NTYPES), driver.fl_map);
  return driver;
}

}  // namespace

herr_t use_descriptor_driver(hid_t file_access, DriverStatus& status) {
  static const H5FD_class_t driver_class = make_driver_class();
  static const hid_t driver = H5FDregister(&driver_class);
  const DriverInfo info{&status};
  return driver < 0 ? -1 : H5Pset_driver(file_access, driver, &info);
}

}  // namespace mnist_dist::h5
