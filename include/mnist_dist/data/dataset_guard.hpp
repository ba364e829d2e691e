// A data set file's bytes, checked before HDF5 sees them: the library does not survive every damage. Local.
//
// What h5pack writes ends in the SHA-256 of its bytes (core/sealed_bytes.hpp). A file without that, from another
// program, is read once by a process of its own, which may crash.
#pragma once

#include <filesystem>

namespace mnist_dist::data {

/// The hidden command by which a program lets itself be that process: `PROGRAM probe-dataset FILE` calls
/// probe_dataset().
inline constexpr const char* kProbeCommand = "probe-dataset";

/// Reads the whole file, as the guard or as that process. @return whether it has the hash of all its bytes
/// @throws Error (bad_data) for a file that is not whole, or that HDF5 does not survive; what is wrong with a file that
/// HDF5 survives is for whoever opens it to say
bool check_dataset_file(const std::filesystem::path& path);

/// Reads all that a program can read of the data set, with a limit to the processor time. @throws Error
void probe_dataset(const std::filesystem::path& path);

}  // namespace mnist_dist::data
