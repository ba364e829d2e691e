// Images on their way into the network: lists of the pixels that are not zero. Local.
//
// Most pixels of handwriting are black. Both products of the first layer, the one with its weights and the one that
// gives their gradient, go through these lists and leave the rest out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mnist_dist::nn {

/// For each group of four neighbouring inputs: the rows that have a non-zero among them, ascending, and their four
/// pixels. The entries of group g are [begins[g], begins[g + 1]). Views of memory that somebody else owns.
struct PixelLists {
  static constexpr std::size_t kInputsOfGroup = 4;
  /// What may be read past the last entry: vectors are loaded whole.
  static constexpr std::size_t kPadding = 16;

  std::size_t groups = 0;
  std::uint32_t* begins = nullptr;  ///< [groups + 1]
  std::uint32_t* rows = nullptr;    ///< [most rows x groups + kPadding], by entry
  std::uint32_t* pixels = nullptr;  ///< [most rows x groups + kPadding], by entry: four bytes in the inputs' order

  [[nodiscard]] static constexpr std::size_t groups_of(std::size_t inputs) {
    return (inputs + kInputsOfGroup - 1) / kInputsOfGroup;
  }
};

/// Makes the lists of some rows anew. @param rows [rows] of [inputs] pixels each
void list_pixels(std::span<const std::uint8_t* const> rows, std::size_t inputs, const PixelLists& lists);

}  // namespace mnist_dist::nn
