// The kernels of different vectors against each other, and against plain sums.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "../../../src/nn/kernels/gradient_sums.hpp"
#include "../../../src/nn/kernels/kernel_targets.hpp"
#include "../../../src/nn/kernels/pixel_product.hpp"
#include "../../../src/nn/kernels/products.hpp"
#include "float_comparison.hpp"
#include "mnist_dist/core/aligned_vector.hpp"
#include "mnist_dist/core/random.hpp"
#include "mnist_dist/nn/arithmetic.hpp"

using namespace mnist_dist;

namespace {

constexpr std::size_t kRows = 141;    // more than the first layer's product takes at once
constexpr std::size_t kInner = 1102;  // more than is packed at once, and no whole number of groups
constexpr std::size_t kColumns = 176;

using Floats = AlignedVector<float>;

Floats random_floats(std::size_t size, std::uint64_t id) {
  RandomStream stream({.seed = 5, .purpose = Purpose::shuffle, .epoch = 0, .id = id});
  Floats values(size);
  for (float& value : values) value = stream.uniform(-1, 1);
  return values;
}

/// Calls use(target) with each kind of vectors in turn; then all is as before.
template <class Use>
void for_each_target(Use&& use) {
  const std::vector<nn::KernelTarget> targets = nn::runnable_targets();
  for (const nn::KernelTarget& target : targets) {
    CAPTURE(target.vectors);
    nn::use_target(target);
    use(target);
  }
  nn::use_target(targets.front());
}

struct Factors {
  Floats a = random_floats(kRows * kInner, 1);
  Floats b = random_floats(kInner * kColumns, 2);
  MatrixView<const float> left{a.data(), kRows, kInner};
  MatrixView<const float> right{b.data(), kInner, kColumns};
};

Floats multiply(const Factors& f) {
  Floats c(kRows * kColumns, -1.0F);
  nn::multiply_rows(f.left, f.right, {c.data(), kRows, kColumns});
  return c;
}

Floats multiply_large(const Factors& f) {
  Floats c(kRows * kColumns, -1.0F);
  nn::multiply_rows_by_large(f.left, f.right, {c.data(), kRows, kColumns});
  return c;
}

/// The same product from the transposed right factor, of which the last `missing` rows are not there.
Floats multiply_transposed(const Factors& f, std::size_t missing) {
  Floats transposed(kColumns * kInner);
  nn::transpose(f.right, {transposed.data(), kColumns, kInner});
  Floats c(kRows * kColumns, -1.0F);
  nn::multiply_rows_by_large_transposed(f.left, {transposed.data(), kColumns - missing, kInner},
                                        {c.data(), kRows, kColumns});
  return c;
}

/// Rows of pixels, most of them black, and what the first layer makes of them.
struct Pixels {
  std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(kRows * kInner);
  Floats scale = random_floats(kInner + 2, 3);
  Floats negative_mean = random_floats(kInner + 2, 4);
  Floats weights = random_floats(kInner * kColumns, 5);
  Floats deltas = random_floats(kRows * kColumns, 6);
  Floats delta_sums = random_floats(4 * kColumns, 7);

  std::vector<std::uint32_t> begins, rows, values;
  nn::PixelLists lists;

  Pixels() {
    RandomStream stream({.seed = 5, .purpose = Purpose::shuffle, .epoch = 0, .id = 8});
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(stream.below(4) == 0 ? stream.below(256) : 0);
    for (std::size_t row = 0; row < kRows; ++row) std::fill_n(pixels.begin() + static_cast<long>(row * kInner), 9, 0);
    std::fill(scale.begin() + kInner, scale.end(), 0.0F);
    std::fill(negative_mean.begin() + kInner, negative_mean.end(), 0.0F);
    lists.groups = nn::PixelLists::groups_of(kInner);
    begins.resize(lists.groups + 1);
    rows.resize(kRows * lists.groups + nn::PixelLists::kPadding);
    values.resize(rows.size());
    lists.begins = begins.data();
    lists.rows = rows.data();
    lists.pixels = values.data();
    list();
  }
  void list() const {
    std::vector<const std::uint8_t*> pointers;
    for (std::size_t row = 0; row < kRows; ++row) pointers.push_back(pixels.data() + row * kInner);
    nn::list_pixels(pointers, kInner, lists);
  }
  [[nodiscard]] std::uint8_t at(std::size_t row, std::size_t input) const { return pixels[row * kInner + input]; }

  /// The product, and after its last row what the means give.
  [[nodiscard]] Floats product() const {
    Floats sums((kRows + 1) * kColumns, -1.0F);
    nn::multiply_pixels({.lists = lists,
                         .rows = kRows,
                         .inputs = kInner,
                         .scale = scale.data(),
                         .negative_mean = negative_mean.data(),
                         .weights = weights.data(),
                         .columns = kColumns,
                         .sums = sums.data(),
                         .sums_stride = kColumns,
                         .mean_sum = sums.data() + kRows * kColumns});
    return sums;
  }
  /// Over four microbatches, the second one empty.
  [[nodiscard]] Floats gradient(const std::vector<std::uint8_t>& merges) const {
    constexpr std::uint32_t kEnds[] = {0, 40, 40, 110, kRows};
    std::vector<nn::PixelLeaf> leaves;
    for (std::size_t i = 0; i < 4; ++i) {
      leaves.push_back({&lists, kEnds[i], kEnds[i + 1], deltas.data(), delta_sums.data() + i * kColumns});
    }
    Floats sum(kInner * kColumns, -1.0F);
    nn::sum_gradient(nn::PixelGradient{.leaves = leaves,
                                       .negative_mean = negative_mean.data(),
                                       .deltas_stride = kColumns,
                                       .first_group = 0,
                                       .inputs = kInner,
                                       .columns = kColumns,
                                       .sum = sum.data()},
                     nn::TreeOfLeaves(merges));
    return sum;
  }
};

/// The gradient of a layer that has the left factor as inputs and a column of it as deltas.
Floats dense_gradient(const Factors& f, const std::vector<std::uint8_t>& merges) {
  const Floats deltas = random_floats(kRows * kColumns, 9);
  std::vector<nn::DenseLeaf> leaves;
  for (std::size_t i = 0; i < merges.size(); ++i) {
    const std::size_t first = kRows * i / merges.size();
    leaves.push_back({f.a.data() + first * kInner, deltas.data() + first * kColumns,
                      kRows * (i + 1) / merges.size() - first, kInner});
  }
  Floats sum(kInner * kColumns, -1.0F);
  nn::sum_gradient(nn::DenseGradient{leaves, kColumns, kInner, kColumns, sum.data(), kColumns},
                   nn::TreeOfLeaves(merges));
  return sum;
}

const std::vector<std::uint8_t> kWholeTree = {0, 1, 0, 2};
const std::vector<std::uint8_t> kOtherTree = {0, 0, 1, 2};

}  // namespace

TEST_CASE("kernels with the same arithmetic give the same bits") {
  const Factors f;
  const Pixels p;
  std::vector<std::vector<Floats>> fused_results;
  std::vector<std::vector<Floats>> other_results;
  for_each_target([&](const nn::KernelTarget& target) {
    (target.fused ? fused_results : other_results)
        .push_back({multiply(f), p.product(), p.gradient(kWholeTree), p.gradient(kOtherTree),
                    dense_gradient(f, kWholeTree), dense_gradient(f, kOtherTree)});
  });
  for (const auto* results : {&fused_results, &other_results}) {
    if (results->size() < 2) MESSAGE("one kind of vectors has nothing to be compared with");
    for (std::size_t i = 1; i < results->size(); ++i) {
      for (std::size_t kernel = 0; kernel < results->front().size(); ++kernel) {
        CAPTURE(kernel);
        CHECK((*results)[i][kernel] == results->front()[kernel]);
      }
    }
  }
}

TEST_CASE("vectors that round otherwise have another name of their arithmetic, and only they") {
  std::set<std::string> fused;
  std::set<std::string> others;
  for_each_target([&](const nn::KernelTarget& target) {
    (target.fused ? fused : others).insert(nn::arithmetic(nn::Products::kernels));
  });
  CHECK(fused.size() <= 1);
  CHECK(others.size() <= 1);
  CHECK((fused.empty() || others.empty() || fused != others));
  if (fused.empty() || others.empty()) MESSAGE("this processor has one kind of arithmetic only");
}

TEST_CASE("packing and transposing change no bit of a product") {
  const Factors f;
  for_each_target([&](const nn::KernelTarget& /*target*/) {
    const Floats expected = multiply(f);
    CHECK(multiply_large(f) == expected);
    CHECK(multiply_transposed(f, 0) == expected);
    const Floats shorter = multiply_transposed(f, 10);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < shorter.size(); ++i) {
      wrong += shorter[i] == (i % kColumns < kColumns - 10 ? expected[i] : 0.0F) ? 0 : 1;
    }
    CHECK(wrong == 0);
  });
}

TEST_CASE("products are products") {
  const Factors f;
  for_each_target([&](const nn::KernelTarget& /*target*/) {
    const Floats c = multiply(f);
    for (std::size_t i = 0; i < c.size(); i += 97) {
      double expected = 0;
      for (std::size_t k = 0; k < kInner; ++k) {
        expected += double{f.a[i / kColumns * kInner + k]} * double{f.b[k * kColumns + i % kColumns]};
      }
      CHECK(difference(c[i], expected) < 1e-4);
    }
  });
}

TEST_CASE("lists hold every pixel that is not black, by groups of inputs and in the order of the rows") {
  Pixels p;
  for_each_target([&](const nn::KernelTarget& /*target*/) {
    std::fill(p.begins.begin(), p.begins.end(), 99U);
    p.list();
    std::vector<std::uint8_t> unlisted = p.pixels;
    CHECK(p.begins.front() == 0);
    for (std::size_t group = 0; group < p.lists.groups; ++group) {
      for (std::uint32_t entry = p.begins[group]; entry < p.begins[group + 1]; ++entry) {
        if (entry > p.begins[group]) CHECK(p.rows[entry] > p.rows[entry - 1]);
        CHECK(p.values[entry] != 0);
        for (std::size_t i = 0; i < 4; ++i) {
          const auto* bytes = reinterpret_cast<const std::uint8_t*>(&p.values[entry]);
          const std::size_t input = 4 * group + i;
          if (input >= kInner) {
            CHECK(bytes[i] == 0);
          } else {
            CHECK(bytes[i] == p.at(p.rows[entry], input));
            unlisted[p.rows[entry] * kInner + input] = 0;
          }
        }
      }
    }
    CHECK(std::ranges::count(unlisted, 0) == static_cast<long>(unlisted.size()));
  });
}

TEST_CASE("the first layer's product is that of pixels and scaled weights, the means being one more row") {
  const Pixels p;
  for_each_target([&](const nn::KernelTarget& /*target*/) {
    const Floats sums = p.product();
    for (std::size_t i = 0; i < sums.size(); i += 97) {
      double expected = 0;
      for (std::size_t k = 0; k < kInner; ++k) {
        const std::size_t row = i / kColumns;
        const double pixel = row < kRows ? double{static_cast<float>(p.at(row, k))} : double{p.negative_mean[k]};
        expected += pixel * double{p.scale[k]} * double{p.weights[k * kColumns + i % kColumns]};
      }
      CHECK(difference(sums[i], expected) < 2e-3);  // sums of some 300 numbers of up to 255
    }
  });
}

TEST_CASE("the first layer's gradient is that of pixels less their means") {
  const Pixels p;
  for_each_target([&](const nn::KernelTarget& /*target*/) {
    for (const std::vector<std::uint8_t>& merges : {kWholeTree, kOtherTree}) {
      const Floats sum = p.gradient(merges);
      for (std::size_t i = 0; i < sum.size(); i += 97) {
        const std::size_t input = i / kColumns;
        double expected = 0;
        for (std::size_t row = 0; row < kRows; ++row) {
          expected += double{static_cast<float>(p.at(row, input))} * double{p.deltas[row * kColumns + i % kColumns]};
        }
        for (std::size_t leaf = 0; leaf < 4; ++leaf) {
          expected += double{p.negative_mean[input]} * double{p.delta_sums[leaf * kColumns + i % kColumns]};
        }
        CHECK(difference(sum[i], expected) < 1e-3);
      }
    }
    CHECK(p.gradient(kWholeTree) != p.gradient(kOtherTree));  // another order of addition gives other bits
  });
}
