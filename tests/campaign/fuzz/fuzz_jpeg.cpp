// JPEG files, as they are.
#include "fuzz_target.hpp"
#include "mnist_dist/image/jpeg.hpp"

using namespace mnist_dist;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::read_anything({ExitCode::bad_data}, [&] {
    const image::Image image = image::decode_jpeg(std::as_bytes(std::span(data, size)), "x.jpg");
    fuzz::require(image.channels == 1 || image.channels == 3, "neither grey nor colour");
    fuzz::require(image.pixels.size() == image.height * image.width * image.channels, "pixels too many or too few");
  });
  return 0;
}
