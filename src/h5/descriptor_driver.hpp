// How HDF5 reaches a file on disk: a virtual file driver of our own (HDF5's "Virtual File Layer" interface).
//
// Two reasons not to use HDF5's own driver. It resolves symbolic links by name, so that it cannot write to a
// file that has no name yet (/proc/self/fd/N). And when a write fails, it leaves HDF5 with a file that it can
// neither finish nor close: it tries again when the process ends, and complains. Ours keeps the reason of the
// first failure for whoever asks and lets HDF5 finish: the file is given up anyway.
//
// It takes no file locks, which fail or hang on many network file systems: a finished data set never changes.
#pragma once

#include <hdf5.h>

namespace mnist_dist::h5 {

/// What went wrong below HDF5 with one file. Owned by the caller; outlives the file.
struct DriverStatus {
  int error_number = 0;  ///< the errno of the first failure; 0: none
};

/// Makes the file access property list use this driver. @return negative on failure, as HDF5 does
herr_t use_descriptor_driver(hid_t file_access, DriverStatus& status);

}  // namespace mnist_dist::h5
