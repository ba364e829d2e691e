#include "mnist_dist/core/random.hpp"

#include <Random123/philox.h>

#include <algorithm>

namespace mnist_dist {
namespace {

// The 128-bit counter names the block: word 0 counts the stream's blocks, the others name the stream.
// The 64-bit key is the seed.
std::array<std::uint32_t, 4> random_block(const StreamKey& key, std::uint32_t block) {
  const auto purpose = static_cast<std::uint32_t>(key.purpose);
  const r123::Philox4x32::ctr_type counter = {{block, static_cast<std::uint32_t>(key.id), key.epoch,
                                               (purpose << 16) | (static_cast<std::uint32_t>(key.id >> 32) & 0xffffU)}};
  const r123::Philox4x32::key_type philox_key = {
      {static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32)}};
  const r123::Philox4x32::ctr_type words = r123::Philox4x32()(counter, philox_key);
  return {words[0], words[1], words[2], words[3]};
}

}  // namespace

std::uint32_t RandomStream::next_bits() {
  if (used_ == 4) {
    block_ = random_block(key_, next_block_++);
    used_ = 0;
  }
  return block_[used_++];
}

void RandomStream::fill(std::span<std::uint32_t> bits) {
  std::size_t filled = 0;
  while (filled < bits.size() && used_ < 4) bits[filled++] = block_[used_++];
  for (; bits.size() - filled >= 4; filled += 4) {
    const std::array<std::uint32_t, 4> words = random_block(key_, next_block_++);
    std::copy(words.begin(), words.end(), bits.begin() + static_cast<std::ptrdiff_t>(filled));
  }
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
