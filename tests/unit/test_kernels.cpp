// The kernels of different vectors against each other, and against the plain sum.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <vector>

#include "../../src/nn/kernel_table.hpp"
#include "float_comparison.hpp"
#include "mnist_dist/core/aligned_vector.hpp"
#include "mnist_dist/core/random.hpp"

using namespace mnist_dist;

namespace {

constexpr std::size_t kRows = 41;
constexpr std::size_t kInner = 1100;  // more than is packed at once
constexpr std::size_t kColumns = 176;

using Floats = AlignedVector<float>;

Floats random_floats(std::size_t size, std::uint64_t id) {
  RandomStream stream({.seed = 5, .purpose = Purpose::shuffle, .epoch = 0, .id = id});
  Floats values(size);
  for (float& value : values) value = stream.uniform(-1, 1);
  return values;
}

struct Factors {
  Floats a = random_floats(kRows * kInner, 1);
  Floats b = random_floats(kInner * kColumns, 2);
};

nn::Product product(const Factors& f, Floats& c) {
  c.assign(kRows * kColumns, -1.0F);
  return {f.a.data(), kInner, f.b.data(), kColumns, c.data(), kColumns, kRows, kInner, kColumns};
}

Floats multiply(const nn::KernelTable& kernels, const Factors& f) {
  Floats c;
  kernels.multiply(product(f, c));
  return c;
}

Floats multiply_large(const nn::KernelTable& kernels, const Factors& f) {
  Floats c;
  Floats packed(nn::kPackedFloats);
  kernels.multiply_large({product(f, c), 0, packed.data()});
  return c;
}

/// The same product from the transposed right factor, of which the last `missing` rows are not there.
Floats multiply_transposed(const nn::KernelTable& kernels, const Factors& f, std::size_t missing) {
  Floats transposed(kColumns * kInner);
  kernels.transpose({f.b.data(), kColumns, transposed.data(), kInner, kInner, kColumns});
  Floats c;
  Floats packed(nn::kPackedFloats);
  nn::Product p = product(f, c);
  p.b = transposed.data();
  p.b_stride = kInner;
  kernels.multiply_large({p, kColumns - missing, packed.data()});
  return c;
}

/// Gradients over three microbatches, the first two of them added.
std::vector<Floats> gradients(const nn::KernelTable& kernels, const Factors& f) {
  const Floats deltas = random_floats(kRows * kColumns, 3);
  const Floats delta_sums = random_floats(3 * kColumns, 4);
  const Floats offsets = random_floats(kInner, 5);
  std::vector<nn::GradientMicrobatch> microbatches;
  const std::vector<std::size_t> rows = {20, 8, 13};
  for (std::size_t i = 0, first = 0; i < rows.size(); first += rows[i++]) {
    microbatches.push_back({f.a.data() + first * kInner, deltas.data() + first * kColumns,
                            delta_sums.data() + i * kColumns, nullptr, first, rows[i], i == 1 ? 1U : 0U});
  }
  std::vector<Floats> sums(2, Floats(kInner * kColumns));
  std::vector<float*> places = {sums[0].data(), sums[1].data()};
  const nn::Size ends[] = {2, 3};
  kernels.sum_gradients({microbatches.data(), microbatches.size(), kInner, kColumns, 0, offsets.data(), 0, kInner,
                         kColumns, kColumns, nullptr, ends, places.data()});
  return sums;
}

// Segments of the inner steps, in groups of them: the first two are added.
constexpr unsigned kSegmentEnds[] = {100, 101, 275};
constexpr unsigned char kSegmentMerges[] = {0, 1, 0};
constexpr nn::Size kSegmentSumEnds[] = {2, 3};

Floats segment_starts() {
  return random_floats(std::size(kSegmentEnds) * kColumns, 6);
}

/// The sums over segments of the inner steps, with every other group left out in every other four rows.
std::vector<Floats> multiply_segments(const nn::KernelTable& kernels, const Factors& f) {
  constexpr std::size_t kGroups = kInner / nn::kInputsOfGroup;
  static_assert(kSegmentEnds[std::size(kSegmentEnds) - 1] == kGroups);
  std::vector<unsigned> groups;
  std::vector<unsigned> ends;
  for (std::size_t tile = 0; tile * nn::kSparseRows < kRows; ++tile) {
    const std::size_t begin = groups.size();
    unsigned group = 0;
    for (const unsigned end : kSegmentEnds) {
      for (; group < end; ++group) {
        if (tile % 2 == 0 || group % 2 == 0) groups.push_back(group);
      }
      ends.push_back(static_cast<unsigned>(groups.size() - begin));
    }
    groups.resize(begin + kGroups);
  }
  const Floats starts = segment_starts();
  std::vector<Floats> sums(2, Floats(kRows * kColumns, -1.0F));
  std::vector<float*> places = {sums[0].data(), sums[1].data()};
  kernels.multiply_sparse({f.a.data(), kInner, f.b.data(), kColumns, groups.data(), ends.data(), kGroups,
                           std::size(kSegmentEnds), starts.data(), kColumns, kSegmentMerges, kSegmentSumEnds,
                           places.data(), kColumns, kRows, kInner, kColumns});
  return sums;
}

/// One element of them.
double segment_sum(const Factors& f, std::size_t sum, std::size_t row, std::size_t column) {
  const Floats starts = segment_starts();
  double expected = 0;
  unsigned group = 0;
  for (std::size_t segment = 0; segment < std::size(kSegmentEnds); ++segment) {
    const bool counts = (segment < 2) == (sum == 0);
    if (counts) expected += double{starts[segment * kColumns + column]};
    for (; group < kSegmentEnds[segment]; ++group) {
      if (!counts || (row / nn::kSparseRows % 2 == 1 && group % 2 == 1)) continue;
      for (std::size_t k = group * nn::kInputsOfGroup; k < (group + 1) * nn::kInputsOfGroup; ++k) {
        expected += double{f.a[row * kInner + k]} * double{f.b[k * kColumns + column]};
      }
    }
  }
  return expected;
}

/// What this processor can run.
std::vector<nn::KernelTable> runnable_kernels() {
  std::vector<nn::KernelTable> kernels = {nn::baseline_kernels()};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) kernels.push_back(nn::avx2_kernels());
  if (__builtin_cpu_supports("avx512f")) kernels.push_back(nn::avx512_kernels());
#endif
  return kernels;
}

}  // namespace

TEST_CASE("kernels with the same arithmetic give the same bits") {
  const Factors f;
  const std::vector<nn::KernelTable> all = runnable_kernels();
  bool compared = false;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const nn::KernelTable& one = all[i];
      const nn::KernelTable& other = all[j];
      CAPTURE(one.vectors);
      CAPTURE(other.vectors);
      const bool same = one.fused == other.fused;
      // With another arithmetic they are others, so this test can fail.
      CHECK((multiply(one, f) == multiply(other, f)) == same);
      CHECK((gradients(one, f) == gradients(other, f)) == same);
      CHECK((multiply_segments(one, f) == multiply_segments(other, f)) == same);
      compared = compared || same;
    }
  }
  if (!compared) MESSAGE("skipped: this processor cannot run two kernels of the same arithmetic (AVX2 and AVX-512)");
}

TEST_CASE("packing and transposing change no bit of a product") {
  const Factors f;
  for (const nn::KernelTable& kernels : runnable_kernels()) {
    CAPTURE(kernels.vectors);
    const Floats expected = multiply(kernels, f);
    CHECK(multiply_large(kernels, f) == expected);
    CHECK(multiply_transposed(kernels, f, 0) == expected);
    const Floats shorter = multiply_transposed(kernels, f, 10);
    for (std::size_t i = 0; i < shorter.size(); ++i) {
      CHECK(shorter[i] == (i % kColumns < kColumns - 10 ? expected[i] : 0.0F));
    }
  }
}

TEST_CASE("products are products") {
  const Factors f;
  for (const nn::KernelTable& kernels : runnable_kernels()) {
    CAPTURE(kernels.vectors);
    const Floats c = multiply(kernels, f);
    for (std::size_t i = 0; i < c.size(); i += 97) {
      double expected = 0;
      for (std::size_t k = 0; k < kInner; ++k) {
        expected += double{f.a[i / kColumns * kInner + k]} * double{f.b[k * kColumns + i % kColumns]};
      }
      CHECK(difference(c[i], expected) < 1e-4);
    }
  }
}

TEST_CASE("sums over segments leave out what is not active, and are added as the merges say") {
  const Factors f;
  for (const nn::KernelTable& kernels : runnable_kernels()) {
    CAPTURE(kernels.vectors);
    const std::vector<Floats> sums = multiply_segments(kernels, f);
    for (std::size_t sum = 0; sum < sums.size(); ++sum) {
      for (std::size_t i = 0; i < kRows * kColumns; i += 97) {
        const double expected = segment_sum(f, sum, i / kColumns, i % kColumns);
        CHECK(difference(sums[sum][i], expected) < 1e-4);
      }
    }
  }
}
