// The pixels of a group's entries as floats. Compiled for each kind of vector.
#if defined(MNIST_DIST_NN_PIXEL_DECODING_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef MNIST_DIST_NN_PIXEL_DECODING_INL
#undef MNIST_DIST_NN_PIXEL_DECODING_INL
#else
#define MNIST_DIST_NN_PIXEL_DECODING_INL
#endif

#include "mnist_dist/nn/pixel_lists.hpp"
#include "tile-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace mnist_dist::nn::HWY_NAMESPACE {

/// @param decoded [entries x 4, and room for a vector]
HWY_INLINE void decode_pixels(const std::uint32_t* pixels, std::size_t entries, float* decoded) {
  const hn::Rebind<std::uint8_t, Floats> bytes;
  const hn::Rebind<std::int32_t, Floats> integers;
  const auto* from = reinterpret_cast<const std::uint8_t*>(pixels);
  for (std::size_t i = 0; i < PixelLists::kInputsOfGroup * entries; i += kWidth) {
    store(hn::ConvertTo(Floats(), hn::PromoteTo(integers, hn::LoadU(bytes, from + i))), decoded + i);
  }
}

}  // namespace mnist_dist::nn::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
