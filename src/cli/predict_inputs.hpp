// The images that `predict` is asked about, found one after the other: no list of them is held. Local.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "mnist_dist/core/error.hpp"

namespace mnist_dist::cli {

/// The name that stands for standard input.
inline constexpr const char* kStandardInput = "-";

struct PredictInputs {
  std::vector<std::string> names;  ///< files, folders and kStandardInput
  std::string list;                ///< a file with one name of a file or folder a line; kStandardInput; empty: none
};

struct InputHandlers {
  std::function<void(const std::string&)> image;  ///< a file, or kStandardInput; it may be no image, or not be there
  std::function<void(const Error&)> failure;      ///< a folder or list that could not be read; the rest follows
};

/// Calls handlers.image for every file: first the names, then the list. Of a folder, and of the folders in it, those
/// that begin as an image does, in byte order of their paths. A warning tells how many others were passed over; hidden
/// files, and links to folders, are among neither.
void for_each_input(const PredictInputs& inputs, const InputHandlers& handlers);

}  // namespace mnist_dist::cli
