#include "mnist_dist/data/augment/elastic_field.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <vector>

#include "mnist_dist/core/hot_loop.hpp"

namespace mnist_dist::data {
namespace {

// Lines are whole numbers of the largest vectors, so that loops over them have no rest.
constexpr std::size_t kVector = 16;
constexpr std::size_t kTaps = 4;  // nodes that reach a pixel, in each direction

// One direction of the grid of nodes, centred on the pixels.
struct Axis {
  std::size_t nodes = 0;
  std::vector<std::uint32_t> first;                // [pixels]: the first node that reaches a pixel
  std::vector<std::array<double, kTaps>> weights;  // [pixels]: of this node and the next three
};

Axis make_axis(std::size_t pixels, double smoothing) {
  // The variance of a cubic B-spline is a third of the squared distance of its nodes.
  const double distance = std::max(1.0, smoothing * std::numbers::sqrt3);
  const double length = static_cast<double>(pixels - 1) / distance;
  const double margin = (1.0 - (length - std::floor(length))) / 2.0;
  Axis axis{static_cast<std::size_t>(length) + kTaps, {}, {}};
  for (std::size_t i = 0; i < pixels; ++i) {
    const double position = margin + static_cast<double>(i) / distance;
    // Rounding may carry the last pixel over to a node that does not exist.
    const double first = std::min(std::floor(position), static_cast<double>(axis.nodes - kTaps));
    const double t = position - first;
    std::array<double, kTaps> weights = {(1 - t) * (1 - t) * (1 - t), 3 * t * t * t - 6 * t * t + 4,
                                         -3 * t * t * t + 3 * t * t + 3 * t + 1, t * t * t};
    double squares = 0.0;
    for (const double weight : weights) squares += weight * weight;
    for (double& weight : weights) weight /= std::sqrt(squares);  // so that all pixels move alike
    axis.first.push_back(static_cast<std::uint32_t>(first));
    axis.weights.push_back(weights);
  }
  return axis;
}

// Each word makes four numbers, uniform over 256 steps from -1 to 1.
MNIST_DIST_HOT_LOOP void noise_of(const std::uint32_t* __restrict words, std::size_t count, float* __restrict noise) {
  for (std::size_t byte = 0; byte < 4; ++byte) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = static_cast<std::int32_t>((words[i] >> (8 * byte)) & 0xffU);
      noise[byte * count + i] = (static_cast<float>(value) - 127.5F) * (1.0F / 127.5F);
    }
  }
}

// lines [rows x columns] = noise [rows x nodes] * weights [nodes x columns]; columns is a multiple of kVector.
MNIST_DIST_HOT_LOOP void spread_along_rows(const float* __restrict noise, std::size_t rows, std::size_t nodes,
                                           const float* __restrict weights, std::size_t columns,
                                           float* __restrict lines) {
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t first = 0; first < columns; first += kVector) {
      float sums[kVector] = {};
      for (std::size_t node = 0; node < nodes; ++node) {
        const float value = noise[row * nodes + node];
        for (std::size_t i = 0; i < kVector; ++i) sums[i] += value * weights[node * columns + first + i];
      }
      for (std::size_t i = 0; i < kVector; ++i) lines[row * columns + first + i] = sums[i];
    }
  }
}

// Each row of a field is a sum of four lines. A line's padding spills into the next row, which comes later.
MNIST_DIST_HOT_LOOP void spread_along_columns(const float* __restrict x_lines, const float* __restrict y_lines,
                                              std::size_t columns, const std::uint32_t* __restrict first,
                                              const float* __restrict weights, std::size_t height, std::size_t width,
                                              float* __restrict x_field, float* __restrict y_field) {
  columns = columns / kVector * kVector;
  for (std::size_t row = 0; row < height; ++row) {
    const float* x = x_lines + first[row] * columns;
    const float* y = y_lines + first[row] * columns;
    const float* weight = weights + row * kTaps;
    float* x_row = x_field + row * width;
    float* y_row = y_field + row * width;
    for (std::size_t i = 0; i < columns; ++i) {
      x_row[i] = (weight[0] * x[i] + weight[1] * x[columns + i]) +
                 (weight[2] * x[2 * columns + i] + weight[3] * x[3 * columns + i]);
      y_row[i] = (weight[0] * y[i] + weight[1] * y[columns + i]) +
                 (weight[2] * y[2 * columns + i] + weight[3] * y[3 * columns + i]);
    }
  }
}

// Numbers without their signs are ordered as their bits are, and a compiler knows the maximum of whole numbers.
MNIST_DIST_HOT_LOOP float largest_of(const float* __restrict x, const float* __restrict y, std::size_t count) {
  std::int32_t largest = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t x_bits = std::bit_cast<std::int32_t>(x[i]) & 0x7fffffff;
    const std::int32_t y_bits = std::bit_cast<std::int32_t>(y[i]) & 0x7fffffff;
    largest = std::max(largest, std::max(x_bits, y_bits));
  }
  return std::bit_cast<float>(largest);
}

}  // namespace

ElasticField::ElasticField(std::size_t height, std::size_t width, double smoothing)
    : size_(height * width), width_(width), padded_width_((width + kVector - 1) / kVector * kVector) {
  const Axis rows = make_axis(height, smoothing);
  const Axis columns = make_axis(width, smoothing);
  node_rows_ = rows.nodes;
  node_columns_ = columns.nodes;
  first_nodes_.assign(rows.first.begin(), rows.first.end());
  for (const auto& weights : rows.weights) {
    for (const double weight : weights) row_weights_.push_back(static_cast<float>(weight));
  }
  column_weights_.resize(node_columns_ * padded_width_);
  for (std::size_t x = 0; x < width; ++x) {
    for (std::size_t tap = 0; tap < kTaps; ++tap) {
      column_weights_[(columns.first[x] + tap) * padded_width_ + x] = static_cast<float>(columns.weights[x][tap]);
    }
  }
  noise_.resize((2 * node_rows_ * node_columns_ + 3) / 4 * 4);
  lines_.resize(2 * node_rows_ * padded_width_);
  x_.resize(size_ + kVector);
  y_.resize(size_ + kVector);
}

void ElasticField::generate(std::span<const std::uint32_t> random) {
  noise_of(random.data(), words(), noise_.data());
  spread_along_rows(noise_.data(), 2 * node_rows_, node_columns_, column_weights_.data(), padded_width_, lines_.data());
  const float* y_lines = lines_.data() + node_rows_ * padded_width_;
  const std::size_t height = first_nodes_.size();
  spread_along_columns(lines_.data(), y_lines, padded_width_, first_nodes_.data(), row_weights_.data(), height, width_,
                       x_.data(), y_.data());
  largest_ = largest_of(x_.data(), y_.data(), size_);
}

}  // namespace mnist_dist::data
