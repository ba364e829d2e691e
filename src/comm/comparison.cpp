#include "mnist_dist/comm/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "mnist_dist/comm/agreement.hpp"
#include "mnist_dist/core/log.hpp"

namespace mnist_dist::comm {
namespace {

// Stand in no value.
constexpr char kEndOfName = '\x1f';
constexpr char kEndOfValue = '\x1e';

std::string as_text(const std::vector<Common>& values) {
  std::string text;
  for (const Common& one : values) text += one.what + kEndOfName + one.value + kEndOfValue;
  return text;
}

std::vector<Common> from_text(const std::string& text) {
  std::vector<Common> values;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t middle = text.find(kEndOfName, begin);
    const std::size_t end = text.find(kEndOfValue, middle);
    values.push_back({text.substr(begin, middle - begin), text.substr(middle + 1, end - middle - 1)});
    begin = end + 1;
  }
  return values;
}

std::string value_at(const std::vector<Common>& values, std::size_t index) {
  return index < values.size() && !values[index].value.empty() ? values[index].value : "not given";
}

}  // namespace

void check_alike(const Communicator& ranks, const std::vector<Common>& mine, ExitCode exit_code) {
  const std::vector<Common> first = from_text(ranks.broadcast(as_text(mine)));
  const std::string first_host = ranks.broadcast(host_name());
  run_and_agree(ranks, [&] {
    for (std::size_t i = 0; i < std::max(first.size(), mine.size()); ++i) {
      if (i < std::min(first.size(), mine.size()) && first[i].what == mine[i].what && first[i].value == mine[i].value) {
        continue;
      }
      throw Error(exit_code,
                  fmt::format("{} is {} at rank 0 on {}, but {} at rank {} on {}: all ranks need the same",
                              i < first.size() ? first[i].what : mine[i].what, value_at(first, i), first_host,
                              value_at(mine, i), ranks.rank_of_launcher(ranks.rank()), host_name()));
    }
  });
}

}  // namespace mnist_dist::comm
