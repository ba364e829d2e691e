#include "mnist_dist/nn/pixel_lists.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "mnist_dist/core/aligned_vector.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "nn/kernels/pixel_lists.cpp"
// clang-format off
#include "targets-inl.hpp"  // before all others below: it includes this file once a target
// clang-format on

#include <hwy/cache_control.h>

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::nn::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kBits = 64;  // groups in a word that tells which of them are not zero

// Rows lie anywhere in memory: they are asked for while others are at work.
constexpr std::size_t kRowsAhead = 4;

void prefetch(const std::uint8_t* row, std::size_t inputs) {
  for (std::size_t i = 0; i < inputs; i += kCacheLine) hwy::Prefetch(row + i);
}

/// A group at the end of a row may lack some of its inputs: they count as zeros.
std::uint32_t group_at(const std::uint8_t* row, std::size_t inputs, std::size_t group) {
  const std::size_t first = group * PixelLists::kInputsOfGroup;
  std::uint32_t pixels = 0;
  if (first + PixelLists::kInputsOfGroup <= inputs) {
    std::memcpy(&pixels, row + first, PixelLists::kInputsOfGroup);
  } else {
    std::memcpy(&pixels, row + first, inputs - first);
  }
  return pixels;
}

/// One bit for each of the groups [first, end) that is not zero; counts[group] grows by it.
std::uint64_t find_groups(const std::uint8_t* row, std::size_t inputs, std::size_t first, std::size_t end,
                          std::uint32_t* counts) {
  std::uint64_t found = 0;
  std::size_t group = first;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<std::uint32_t> tag;
  const hn::Repartition<std::uint8_t, decltype(tag)> bytes;
  constexpr std::size_t kLanes = hn::MaxLanes(tag);
  const std::size_t whole_groups = inputs / PixelLists::kInputsOfGroup;
  for (; group + kLanes <= std::min(end, whole_groups); group += kLanes) {
    const auto pixels = hn::BitCast(tag, hn::LoadU(bytes, row + group * PixelLists::kInputsOfGroup));
    const auto active = hn::Ne(pixels, hn::Zero(tag));
    hn::StoreU(hn::Sub(hn::LoadU(tag, counts + group), hn::VecFromMask(tag, active)), tag, counts + group);
    std::uint8_t bits[8] = {};
    hn::StoreMaskBits(tag, active, bits);
    std::uint64_t word = 0;
    std::memcpy(&word, bits, sizeof word);
    found |= word << (group - first);
  }
#endif
  for (; group < end; ++group) {
    const std::uint64_t active = group_at(row, inputs, group) != 0 ? 1 : 0;
    counts[group] += static_cast<std::uint32_t>(active);
    found |= active << (group - first);
  }
  return found;
}

void list_pixels(std::span<const std::uint8_t* const> rows, std::size_t inputs, const PixelLists& lists) {
  const std::size_t words = (lists.groups + kBits - 1) / kBits;
  thread_local std::vector<std::uint64_t> found;  // [rows x words]
  found.resize(rows.size() * words);
  std::fill_n(lists.begins, lists.groups + 1, 0U);
  // Counted one place ahead, so that the sums of the counts are the begins.
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (row + kRowsAhead < rows.size()) prefetch(rows[row + kRowsAhead], inputs);
    for (std::size_t word = 0; word < words; ++word) {
      found[row * words + word] =
          find_groups(rows[row], inputs, word * kBits, std::min((word + 1) * kBits, lists.groups), lists.begins + 1);
    }
  }
  thread_local std::vector<std::uint32_t> next;  // by group: where its next entry goes
  next.resize(lists.groups);
  for (std::size_t group = 0; group < lists.groups; ++group) {
    next[group] = lists.begins[group];
    lists.begins[group + 1] += lists.begins[group];
  }
  // Written here and there, so not where other cores have read: what comes of it is copied there at once.
  thread_local std::vector<std::uint32_t> entry_rows;
  thread_local std::vector<std::uint32_t> entry_pixels;
  const std::size_t entries = lists.begins[lists.groups];
  entry_rows.resize(std::max(entry_rows.size(), entries));
  entry_pixels.resize(entry_rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t word = 0; word < words; ++word) {
      for (std::uint64_t bits = found[row * words + word]; bits != 0; bits &= bits - 1) {
        const std::size_t group = word * kBits + hwy::Num0BitsBelowLS1Bit_Nonzero64(bits);
        const std::uint32_t entry = next[group]++;
        entry_rows[entry] = static_cast<std::uint32_t>(row);
        entry_pixels[entry] = group_at(rows[row], inputs, group);
      }
    }
  }
  std::copy_n(entry_rows.begin(), entries, lists.rows);
  std::copy_n(entry_pixels.begin(), entries, lists.pixels);
}

}  // namespace mnist_dist::nn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mnist_dist::nn {
HWY_EXPORT(list_pixels);
void list_pixels(std::span<const std::uint8_t* const> rows, std::size_t inputs, const PixelLists& lists) {
  HWY_DYNAMIC_DISPATCH(list_pixels)(rows, inputs, lists);
}
}  // namespace mnist_dist::nn
#endif
