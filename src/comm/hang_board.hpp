// What the ranks of a host show each other, and what a rank makes of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hang_watch.hpp"
#include "mnist_dist/comm/host_memory.hpp"

namespace mnist_dist::comm {

constexpr int kLooksPerSecond = 2;

/// A host as one of its ranks sees it. Times are counted in looks.
struct HostView {
  struct Rank {
    int rank = 0;  ///< by the launcher's number
    Wait wait = Wait::none;
    int silent = 0;  ///< how long it has given no sign of life
  };
  std::string name;
  std::vector<Rank> ranks;  ///< ascending
  std::size_t mine = 0;     ///< the rank that looks, among them
  int waited = 0;           ///< how long it has been in the same wait
  int asked_to_stop = 0;    ///< how long ago it was asked to stop
  bool complete = false;    ///< whether these are all ranks of the host
  std::vector<std::string> other_hosts;
};

/// Local. @param limit in looks  @return how to tell the user that ranks are missing and what others wait in; nothing
/// while there is patience
[[nodiscard]] std::optional<std::string> hang_message(const HostView& view, int limit);

class HangBoard {
 public:
  /// Local: a rank that sees no other one. @param sign outlives the board
  HangBoard(RankSign& sign, int rank);
  /// Collective. @param world all ranks, by the launcher's numbers  @param host those that share this one's memory
  HangBoard(const Communicator& world, const Communicator& host);

  /// Local: where this rank shows its sign.
  [[nodiscard]] RankSign& mine() const { return *signs_[view_.mine]; }
  /// Local, at equal intervals: gives a sign of life, and looks at all others.
  const HostView& look();

 private:
  std::unique_ptr<HostMemory> memory_;
  std::vector<RankSign*> signs_;           // by rank of the host, as view_.ranks
  std::vector<std::uint64_t> last_beats_;  // likewise, at the last look
  std::uint64_t last_wait_ = 0;            // mine
  HostView view_;
};

}  // namespace mnist_dist::comm
