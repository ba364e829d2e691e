#include "mnist_dist/report/text_table.hpp"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <stdexcept>

namespace mnist_dist::report {
namespace {

constexpr std::string_view kGap = "  ";

/// Makes the C library read UTF-8 in this thread, whatever the user's locale, for as long as it lives.
class Utf8Reading {
 public:
  Utf8Reading() : utf8_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (utf8_ != nullptr) before_ = uselocale(utf8_);
  }
  Utf8Reading(const Utf8Reading&) = delete;
  Utf8Reading& operator=(const Utf8Reading&) = delete;
  ~Utf8Reading() {
    if (utf8_ == nullptr) return;
    uselocale(before_);
    freelocale(utf8_);
  }

 private:
  locale_t utf8_;
  locale_t before_ = nullptr;
};

struct Character {
  std::size_t bytes;
  std::size_t columns;
};

/// The first character of a text that is not empty. Needs a Utf8Reading.
Character first_character(std::string_view text) {
  wchar_t character = 0;
  mbstate_t state{};
  const std::size_t bytes = mbrtowc(&character, text.data(), text.size(), &state);
  if (bytes == 0 || bytes > text.size()) return {1, 1};  // a NUL, or not UTF-8
  const int columns = wcwidth(character);
  return {bytes, columns < 0 ? 1 : static_cast<std::size_t>(columns)};
}

}  // namespace

std::size_t display_width(std::string_view text) {
  const Utf8Reading reading;
  std::size_t width = 0;
  while (!text.empty()) {
    const Character character = first_character(text);
    width += character.columns;
    text.remove_prefix(character.bytes);
  }
  return width;
}

std::string shortened(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  const Utf8Reading reading;
  std::size_t bytes = 0;
  std::size_t columns = 1;  // the ellipsis
  while (true) {
    const Character character = first_character(text.substr(bytes));
    if (columns + character.columns > width) break;
    bytes += character.bytes;
    columns += character.columns;
  }
  return std::string(text.substr(0, bytes)) + "\u2026";
}

TextTable::TextTable(std::vector<std::string> headings) : column_widths_(headings.size()) {
  add_row(std::move(headings));
}

void TextTable::add_row(std::vector<std::string> cells) {
  if (cells.size() != column_widths_.size()) throw std::invalid_argument("a table row of another length");
  for (std::size_t column = 0; column < cells.size(); ++column) {
    column_widths_[column] = std::max(column_widths_[column], display_width(cells[column]));
  }
  lines_.push_back(std::move(cells));
}

std::size_t TextTable::width() const {
  std::size_t width = 0;
  for (const std::size_t column_width : column_widths_) width += column_width + kGap.size();
  return width < kGap.size() ? 0 : width - kGap.size();
}

std::string TextTable::text() const {
  std::string text;
  for (const std::vector<std::string>& cells : lines_) {
    std::string line;
    for (std::size_t column = 0; column < cells.size(); ++column) {
      const std::string padding(column_widths_[column] - display_width(cells[column]), ' ');
      if (column > 0) line += kGap;
      line += column == 0 ? cells[column] + padding : padding + cells[column];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace mnist_dist::report
