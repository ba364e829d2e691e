// Tables of text whose columns stay aligned on a terminal, whatever script the words are in. Local.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mnist_dist::report {

/// The number of terminal columns that UTF-8 text takes: 2 for a wide East Asian character, 0 for a combining
/// mark. A byte that is not UTF-8 counts as one column.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// `text` cut to at most `width` columns (at least 1), the last of which is then an ellipsis; whole
/// characters only.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t width);

/// A table of headings and rows. The first column is aligned to the left, the others to the right.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> headings);

  /// @param cells one per heading; @throws std::invalid_argument otherwise
  void add_row(std::vector<std::string> cells);

  /// The terminal columns of its widest line.
  [[nodiscard]] std::size_t width() const;
  /// The lines, each ended by a newline, without trailing blanks.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::vector<std::string>> lines_;  // the first one holds the headings
  std::vector<std::size_t> column_widths_;
};

}  // namespace mnist_dist::report
