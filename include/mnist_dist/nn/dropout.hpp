// Dropout (Srivastava et al., JMLR 2014), in the inverted form: what is kept is scaled up, so that prediction
// needs no change. Local.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "mnist_dist/core/matrix_view.hpp"

namespace mnist_dist::nn {

/// Which units of which rows are dropped: a pure function of (seed, epoch, row id, layer), whatever rank asks
/// and whichever rows stand beside the row.
class Dropout {
 public:
  /// @param rate the share that is dropped, in [0, 1); rounded to a multiple of 2^-16
  Dropout(double rate, std::uint64_t seed, std::uint32_t epoch);

  [[nodiscard]] bool active() const { return threshold_ > 0; }
  /// Fills `scales` with 0 for a dropped unit, 1 / (1 - rate) for a kept one.
  /// @param row_ids the rows' numbers in the training set  @param layer the hidden layer's number, from 0
  /// @param scales [row_ids.size() x units]
  void draw(std::span<const std::uint64_t> row_ids, std::size_t layer, const MatrixView<float>& scales) const;

 private:
  std::uint64_t seed_;
  std::uint32_t epoch_;
  std::uint32_t threshold_;  // of 2^16: a unit is dropped when its 16 random bits are below
  float kept_scale_;
};

}  // namespace mnist_dist::nn
