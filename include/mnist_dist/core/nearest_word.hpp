// Which word was meant, for error messages. Local.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace mnist_dist {

/// The known word that is nearest to a mistyped one: a letter in three may be wrong, missing, too many or exchanged
/// with its neighbour, or the end may be missing. "" where none is near.
[[nodiscard]] std::string nearest_word(std::string_view word, std::span<const std::string> known);

/// " (did you mean WORD?)", or "" where no known word is near.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace mnist_dist
