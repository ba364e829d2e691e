// What works number by number: activations, the gradient of the loss, dropout, optimisers, augmentation, random words.
#include <fmt/format.h>

#include <bit>
#include <vector>

#include "bits.hpp"
#include "mnist_dist/data/augment/augmentation.hpp"
#include "mnist_dist/nn/dropout.hpp"
#include "mnist_dist/nn/softmax_cross_entropy.hpp"
#include "mnist_dist/optim/gradient_clipping.hpp"
#include "mnist_dist/optim/moving_average.hpp"
#include "mnist_dist/optim/optimizer.hpp"
#include "nn/kernels/activation_functions.hpp"

using namespace mnist_dist;

namespace {

/// Many numbers where activations bend, and some of every size, from the smallest to the largest.
Floats numbers_to_activate() {
  Floats values = random_floats(400000, 18);
  for (float& value : values) value *= 9;
  for (std::uint32_t bits = 1; bits < 0x7f800000U; bits += 400009) {
    values.push_back(std::bit_cast<float>(bits));
    values.push_back(-values.back());
  }
  return values;
}

void print_random_numbers() {
  const StreamKey key{.seed = 0x123456789abcdefU, .purpose = Purpose::dropout, .epoch = 3, .id = 1};
  std::vector<std::uint32_t> words(1001);
  RandomStream(key).fill(words);
  Bits().add(std::span<const std::uint32_t>(words)).print("random words");
  const std::uint64_t ids[] = {5, 0, 1ULL << 40, 77};
  std::vector<std::uint32_t> of_streams(std::size(ids) * 9 * kWordsOfBlock);
  fill_streams(key, ids, 9, of_streams);
  Bits().add(std::span<const std::uint32_t>(of_streams)).print("random words of many streams");
  RandomStream(key).shuffle(std::span(words));
  Bits().add(std::span<const std::uint32_t>(words)).print("shuffle");
}

void print_activations() {
  const Floats x = numbers_to_activate();
  const Floats biases(x.size(), 0.125F);
  for (const auto& [activation, name] : nn::kActivations) {
    const nn::Architecture architecture{.hidden = {}, .activation = activation};
    Floats predicted = x;
    nn::add_biases_and_activate(architecture, x.size(), {predicted.data(), 1, x.size()}, biases.data());
    Floats trained = x;
    Floats scale(x.size(), 1.25F);
    nn::add_biases_activate_and_drop(architecture, {trained.data(), 1, x.size()}, scale.data(), biases.data());
    Bits().add(predicted).print(fmt::format("{} in prediction", name));
    Bits().add(trained).add(scale).print(fmt::format("{} in training", name));
  }
}

void print_gradient_of_loss() {
  constexpr std::size_t kRows = 1000;
  constexpr std::size_t kClasses = 11;
  Floats logits = random_floats(kRows * kClasses, 14);
  for (float& logit : logits) logit *= 20;
  std::vector<std::int32_t> labels;
  for (std::size_t row = 0; row < kRows; ++row) labels.push_back(static_cast<std::int32_t>(row % kClasses));
  // The loss itself takes a logarithm of the C library, whose last bit may differ. It goes into no model.
  nn::softmax_cross_entropy({logits.data(), kRows, kClasses}, labels, 0.01F, 0.1);
  Bits().add(logits).print("gradient of the loss");
}

void print_dropout() {
  const std::uint64_t ids[] = {4, 9, 100000};
  Floats scales(std::size(ids) * 101);
  nn::Dropout(0.3, 1, 2).draw(ids, 1, {scales.data(), std::size(ids), 101});
  Bits().add(scales).print("dropout");
}

void print_optimizers() {
  const Floats initial = random_floats(1003, 12);
  for (const auto& [kind, name] : optim::kOptimizers) {
    Floats parameters = initial;
    Floats first_moment(initial.size());
    Floats second_moment(initial.size());
    Floats average = initial;
    for (int step = 1; step <= 20; ++step) {
      Floats gradient = random_floats(initial.size(), 100 + static_cast<std::uint64_t>(step));
      optim::add_l2_penalty(0.01, parameters, gradient);
      optim::scale_gradient(optim::clip_factor(optim::sum_of_squares(gradient), 9.0), gradient);
      optim::optimizer_step({.kind = kind}, {.step = step, .learning_rate = 0.01, .weight_decay = 0.1}, gradient,
                            first_moment, second_moment, parameters);
      optim::update_moving_average(optim::moving_average_decay(0.99, step), parameters, average);
    }
    Bits().add(parameters).add(first_moment).add(second_moment).add(average).print(fmt::format("{}", name));
  }
}

void print_augmentation() {
  for (const std::size_t channels : {1, 3}) {
    const data::ImageShape shape{.height = 28, .width = 29, .channels = channels};
    std::vector<std::uint8_t> pixels(shape.height * shape.width * channels);
    RandomStream stream({.seed = 7, .purpose = Purpose::shuffle, .epoch = 0, .id = 13});
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(stream.below(256));
    data::Augmentation augmentation(
        shape, {.rotation = 12, .scaling = 0.12, .shear = 0.1, .shift = 1.5, .elastic = 2.5}, 1, 2);
    std::vector<std::uint8_t> warped(pixels.size());
    Bits bits;
    for (std::uint64_t row = 0; row < 50; ++row) {
      augmentation.apply(row, pixels, warped);
      bits.add(std::span<const std::uint8_t>(warped));
    }
    bits.print(fmt::format("augmentation, {} channels", channels));
  }
}

}  // namespace

void print_elementwise() {
  print_random_numbers();
  print_activations();
  print_gradient_of_loss();
  print_dropout();
  print_optimizers();
  print_augmentation();
}
