// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy
// as 1, 2, 3", SC 2011), by the Random123 library.
//
// A stream is named by what it is for, (seed, purpose, epoch, id), and is the same wherever and whenever it
// is drawn. There is no state to save and nothing to hand from rank to rank. Local.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace mnist_dist {

/// What a stream is for. The numbers are part of what makes two runs alike: never change or reuse one.
enum class Purpose : std::uint32_t {
  initial_weights = 1,
  shuffle = 2,
  dropout = 3,
  holdout = 4,
  pack_order = 5,
  synthetic_digit = 6,
  augmentation = 7,
  test_share = 8,
};

/// The name of a stream.
struct StreamKey {
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::shuffle;
  std::uint32_t epoch = 0;
  std::uint64_t id = 0;  ///< a row, a shard, a layer: below 2^48
};

/// Words in a block of the generator.
inline constexpr std::size_t kWordsOfBlock = 4;

/// Draws the first words of many streams that differ in their ids, faster than one stream after the other.
/// @param key its id is not used  @param words [ids x blocks x kWordsOfBlock]: for each id, what RandomStream::fill()
/// gives
void fill_streams(const StreamKey& key, std::span<const std::uint64_t> ids, std::size_t blocks,
                  std::span<std::uint32_t> words);

/// Draws a stream's words one after the other.
class RandomStream {
 public:
  explicit RandomStream(const StreamKey& key) : key_(key) {}

  std::uint32_t next_bits();
  /// Fills `bits` with the next words, as so many calls of next_bits() would.
  void fill(std::span<std::uint32_t> bits);
  /// Uniform in [0, 1), a multiple of 2^-24.
  float uniform();
  /// Uniform in [low, high).
  float uniform(float low, float high) { return low + (high - low) * uniform(); }
  /// Uniform in {0, ..., bound - 1}, without bias (Lemire, "Fast random integer generation in an interval",
  /// 2019).
  /// @param bound at least 1
  std::uint32_t below(std::uint32_t bound);
  /// Fisher-Yates: every order of `values` is equally likely.
  template <class T>
  void shuffle(std::span<T> values) {
    for (std::size_t i = values.size(); i > 1; --i) {
      std::swap(values[i - 1], values[below(static_cast<std::uint32_t>(i))]);
    }
  }

 private:
  StreamKey key_;
  std::uint32_t next_block_ = 0;
  std::array<std::uint32_t, kWordsOfBlock> block_{};
  unsigned used_ = kWordsOfBlock;  // words of block_ that were drawn already
};

}  // namespace mnist_dist
