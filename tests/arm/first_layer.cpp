// The first layer: lists of pixels, their product with weights, and its gradient.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "bits.hpp"
#include "nn/kernels/gradient_sums.hpp"
#include "nn/kernels/pixel_product.hpp"

using namespace mnist_dist;

namespace {

/// Random images, most of their pixels black, and one that is black altogether.
struct Images {
  std::size_t rows, inputs, groups = nn::PixelLists::groups_of(inputs);
  std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(rows * inputs);
  std::vector<std::uint32_t> begins = std::vector<std::uint32_t>(groups + 1);
  std::vector<std::uint32_t> entry_rows = std::vector<std::uint32_t>(rows * groups + nn::PixelLists::kPadding);
  std::vector<std::uint32_t> entry_pixels = std::vector<std::uint32_t>(entry_rows.size());
  nn::PixelLists lists{groups, begins.data(), entry_rows.data(), entry_pixels.data()};

  Images(std::size_t row_count, std::size_t input_count) : rows(row_count), inputs(input_count) {
    RandomStream stream({.seed = 7, .purpose = Purpose::shuffle, .epoch = 0, .id = 5});
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(stream.below(4) == 0 ? stream.below(256) : 0);
    std::fill_n(pixels.begin(), inputs, 0);
    std::vector<const std::uint8_t*> pointers;
    for (std::size_t row = 0; row < rows; ++row) pointers.push_back(pixels.data() + row * inputs);
    nn::list_pixels(pointers, inputs, lists);
  }
  [[nodiscard]] std::size_t entries() const { return begins.back(); }
};

/// Of the inputs, and zero in the padding to groups.
Floats of_inputs(const Images& images, std::uint64_t id) {
  Floats values = random_floats(images.groups * nn::PixelLists::kInputsOfGroup, id);
  std::fill(values.begin() + static_cast<long>(images.inputs), values.end(), 0.0F);
  return values;
}

void print_product(const Images& images, std::size_t columns, const std::string& name) {
  const Floats scale = of_inputs(images, 6);
  const Floats negative_mean = of_inputs(images, 7);
  const Floats weights = random_floats(images.inputs * columns, 8);
  const std::size_t stride = columns + 16;
  Floats sums(images.rows * stride, -1.0F);
  Floats mean_sum(columns);
  nn::multiply_pixels({.lists = images.lists,
                       .rows = images.rows,
                       .inputs = images.inputs,
                       .scale = scale.data(),
                       .negative_mean = negative_mean.data(),
                       .weights = weights.data(),
                       .columns = columns,
                       .sums = sums.data(),
                       .sums_stride = stride,
                       .mean_sum = mean_sum.data()});
  Bits().add(sums).add(mean_sum).print("product of pixels " + name);
}

void print_gradient(const Images& images, std::size_t columns, const std::vector<std::uint8_t>& merges,
                    const std::string& name) {
  const Floats negative_mean = of_inputs(images, 9);
  const Floats deltas = random_floats(images.rows * columns, 10);
  const Floats delta_sums = random_floats(merges.size() * columns, 11);
  std::vector<nn::PixelLeaf> leaves;
  std::uint32_t first = 0;
  for (const std::size_t microbatch_end : microbatch_ends(images.rows, merges.size())) {
    const auto end = static_cast<std::uint32_t>(microbatch_end);
    leaves.push_back({&images.lists, first, end, deltas.data(), delta_sums.data() + leaves.size() * columns});
    first = end;
  }
  Floats sum(images.inputs * columns, -1.0F);
  nn::sum_gradient(nn::PixelGradient{.leaves = leaves,
                                     .negative_mean = negative_mean.data(),
                                     .deltas_stride = columns,
                                     .first_group = 0,
                                     .inputs = images.inputs,
                                     .columns = columns,
                                     .sum = sum.data()},
                   nn::TreeOfLeaves(merges));
  Bits().add(sum).print(fmt::format("gradient of pixels {}, {} leaves", name, merges.size()));
}

}  // namespace

void print_first_layer() {
  for (const std::size_t rows : {1, 9, 141}) {
    for (const std::size_t inputs : {3, 67, 785}) {
      const Images images(rows, inputs);
      Bits()
          .add(std::span<const std::uint32_t>(images.begins))
          .add(std::span<const std::uint32_t>(images.entry_rows).first(images.entries()))
          .add(std::span<const std::uint32_t>(images.entry_pixels).first(images.entries()))
          .print(fmt::format("lists of pixels [{} x {}]", rows, inputs));
      for (const std::size_t columns : {16, 112, 144}) {
        const std::string name = fmt::format("[{} x {}] [{} columns]", rows, inputs, columns);
        print_product(images, columns, name);
        for (const std::vector<std::uint8_t>& merges : kTrees) print_gradient(images, columns, merges, name);
      }
    }
  }
}
