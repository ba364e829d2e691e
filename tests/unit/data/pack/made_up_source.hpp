// A source of images for the tests of packing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "mnist_dist/core/error.hpp"
#include "mnist_dist/data/pack/image_source.hpp"

namespace mnist_dist {

// Images made up from their row number; some rows can be bad or of another size.
class MadeUpSource final : public data::ImageSource {
 public:
  std::size_t training_rows = 700;
  std::size_t testing_rows = 90;
  std::size_t height = 20;
  std::size_t width = 30;
  std::map<std::size_t, std::string> bad_rows;  // of the training split
  std::size_t larger_row = ~std::size_t{0};     // this training row has twice the height
  std::size_t held_out_every = 0;               // every so many training rows

  [[nodiscard]] const std::vector<std::string>& classes() const override { return classes_; }
  [[nodiscard]] std::size_t rows(data::Split split) const override {
    return split == data::Split::training ? training_rows : testing_rows;
  }
  [[nodiscard]] std::int32_t label(data::Split, std::size_t row) const override {
    return static_cast<std::int32_t>(row % 3);
  }
  [[nodiscard]] std::string name(data::Split split, std::size_t row) const override {
    return (split == data::Split::training ? "training/" : "testing/") + std::to_string(row);
  }
  [[nodiscard]] image::Image image(data::Split split, std::size_t row) const override {
    const auto bad = bad_rows.find(row);
    if (split == data::Split::training && bad != bad_rows.end()) throw Error(ExitCode::bad_data, bad->second);
    const std::size_t rows = split == data::Split::training && row == larger_row ? 2 * height : height;
    image::Image image{rows, width, 1, std::vector<std::uint8_t>(rows * width)};
    const std::size_t first = split == data::Split::training ? 0 : 1000;
    for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = pixel(first + row, i);
    return image;
  }

  [[nodiscard]] bool is_held_out(std::size_t row) const override {
    return held_out_every > 0 && row % held_out_every == 0;
  }

  static std::uint8_t pixel(std::size_t row, std::size_t i) {
    return static_cast<std::uint8_t>(i == 7 ? 200 : (row * 31 + i * i) >> 2);  // pixel 7 never varies
  }

 private:
  std::vector<std::string> classes_ = {"cat", "dog", "müsli"};
};

}  // namespace mnist_dist
