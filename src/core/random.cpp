#include "mnist_dist/core/random.hpp"

#include <Random123/philox.h>

#include "mnist_dist/core/hot_loop.hpp"

namespace mnist_dist {
namespace {

// The 128-bit counter names the block: word 0 counts the stream's blocks, the others name the stream.
// The 64-bit key is the seed.
struct PhiloxKey {
  std::uint32_t id_low;
  std::uint32_t epoch;
  std::uint32_t purpose_and_id_high;
  std::uint32_t seed_low;
  std::uint32_t seed_high;
};

PhiloxKey philox_key(const StreamKey& key) {
  return {static_cast<std::uint32_t>(key.id), key.epoch,
          (static_cast<std::uint32_t>(key.purpose) << 16) | (static_cast<std::uint32_t>(key.id >> 32) & 0xffffU),
          static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32)};
}

void store_block(const r123::Philox4x32::ctr_type& counter, const PhiloxKey& key, std::uint32_t* words) {
  const r123::Philox4x32::ctr_type block = r123::Philox4x32()(counter, {{key.seed_low, key.seed_high}});
  for (std::size_t j = 0; j < kWordsOfBlock; ++j) words[j] = block[j];
}

MNIST_DIST_HOT_LOOP void random_blocks(const PhiloxKey& key, std::uint32_t first, std::size_t count,
                                       std::uint32_t* words) {
  const PhiloxKey k = key;
  for (std::size_t i = 0; i < count; ++i) {
    store_block({{first + static_cast<std::uint32_t>(i), k.id_low, k.epoch, k.purpose_and_id_high}}, k,
                words + kWordsOfBlock * i);
  }
}

/// The same for blocks of different streams: block numbers[i] of the stream whose counter is names_low[i],
/// names_high[i].
MNIST_DIST_HOT_LOOP void random_blocks_of_streams(const PhiloxKey& key, const std::uint32_t* numbers,
                                                  const std::uint32_t* names_low, const std::uint32_t* names_high,
                                                  std::size_t count, std::uint32_t* words) {
  const PhiloxKey k = key;
  for (std::size_t i = 0; i < count; ++i) {
    store_block({{numbers[i], names_low[i], k.epoch, names_high[i]}}, k, words + kWordsOfBlock * i);
  }
}

}  // namespace

void fill_streams(const StreamKey& key, std::span<const std::uint64_t> ids, std::size_t blocks,
                  std::span<std::uint32_t> words) {
  // Short streams fill the processor's vectors only together.
  constexpr std::size_t kAtOnce = 512;
  std::array<std::uint32_t, kAtOnce> numbers;
  std::array<std::uint32_t, kAtOnce> names_low;
  std::array<std::uint32_t, kAtOnce> names_high;
  std::size_t filled = 0;
  std::uint32_t* next = words.data();
  const auto flush = [&] {
    random_blocks_of_streams(philox_key(key), numbers.data(), names_low.data(), names_high.data(), filled, next);
    next += filled * kWordsOfBlock;
    filled = 0;
  };
  for (const std::uint64_t id : ids) {
    StreamKey of_id = key;
    of_id.id = id;
    const PhiloxKey name = philox_key(of_id);
    for (std::size_t block = 0; block < blocks; ++block) {
      numbers[filled] = static_cast<std::uint32_t>(block);
      names_low[filled] = name.id_low;
      names_high[filled] = name.purpose_and_id_high;
      if (++filled == kAtOnce) flush();
    }
  }
  flush();
}

std::uint32_t RandomStream::next_bits() {
  if (used_ == kWordsOfBlock) {
    random_blocks(philox_key(key_), next_block_++, 1, block_.data());
    used_ = 0;
  }
  return block_[used_++];
}

void RandomStream::fill(std::span<std::uint32_t> bits) {
  std::size_t filled = 0;
  while (filled < bits.size() && used_ < kWordsOfBlock) bits[filled++] = block_[used_++];
  const std::size_t blocks = (bits.size() - filled) / kWordsOfBlock;
  random_blocks(philox_key(key_), next_block_, blocks, bits.data() + filled);
  next_block_ += static_cast<std::uint32_t>(blocks);
  filled += kWordsOfBlock * blocks;
  while (filled < bits.size()) bits[filled++] = next_bits();
}

float RandomStream::uniform() {
  return static_cast<float>(next_bits() >> 8) * 0x1p-24F;
}

std::uint32_t RandomStream::below(std::uint32_t bound) {
  std::uint64_t product = std::uint64_t{next_bits()} * bound;
  auto low = static_cast<std::uint32_t>(product);
  if (low < bound) {
    const std::uint32_t threshold = (0U - bound) % bound;
    while (low < threshold) {
      product = std::uint64_t{next_bits()} * bound;
      low = static_cast<std::uint32_t>(product);
    }
  }
  return static_cast<std::uint32_t>(product >> 32);
}

}  // namespace mnist_dist
