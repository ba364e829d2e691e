// A view of a row-major matrix that somebody else owns.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

namespace mnist_dist {

/// [rows x columns], row-major, rows `stride` elements apart. Owns nothing; valid as long as what it points
/// to.
template <class T>
struct MatrixView {
  T* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;

  MatrixView() = default;
  MatrixView(T* first, std::size_t row_count, std::size_t column_count, std::size_t row_stride)
      : data(first), rows(row_count), columns(column_count), stride(row_stride) {}
  MatrixView(T* first, std::size_t row_count, std::size_t column_count)
      : MatrixView(first, row_count, column_count, column_count) {}

  /// A view of mutable elements serves as one of constant elements.
  operator MatrixView<const T>() const  // NOLINT(google-explicit-constructor)
      requires(!std::is_const_v<T>) {
    return {data, rows, columns, stride};
  }

  [[nodiscard]] std::span<T> row(std::size_t index) const { return {data + index * stride, columns}; }
  [[nodiscard]] MatrixView first_rows(std::size_t count) const { return {data, count, columns, stride}; }
  [[nodiscard]] MatrixView rows_from(std::size_t first, std::size_t count) const {
    return {data + first * stride, count, columns, stride};
  }
};

}  // namespace mnist_dist
