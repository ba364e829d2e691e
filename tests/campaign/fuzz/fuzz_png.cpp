// PNG files. The first byte says how the rest is taken: as a file, as a file whose checksums are made right first, or
// as the choices and the pixels of an image that is drawn: most chance bytes end at a checksum or within zlib.
#include <fuzzer/FuzzedDataProvider.h>

#include "fuzz_target.hpp"
#include "mnist_dist/data/image_reader.hpp"
#include "mnist_dist/image/png.hpp"
#include "png_builder.hpp"

using namespace mnist_dist;

namespace {

constexpr std::size_t kSignatureSize = 8;
constexpr std::size_t kAroundData = 12;  // a chunk's length, type and checksum

std::string with_right_checksums(std::string file) {
  std::size_t place = kSignatureSize;
  while (place + kAroundData <= file.size()) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(file[place + i]);
    if (size > file.size() - place - kAroundData) break;
    const std::string chunk = PngBuilder::chunk(file.substr(place + 4, 4), file.substr(place + 8, size));
    file.replace(place, chunk.size(), chunk);
    place += chunk.size();
  }
  return file;
}

std::string drawn(FuzzedDataProvider& choices) {
  std::string header = PngBuilder::number(choices.ConsumeIntegralInRange<std::size_t>(1, 70)) +
                       PngBuilder::number(choices.ConsumeIntegralInRange<std::size_t>(1, 70));
  header += choices.PickValueInArray({'\1', '\2', '\4', '\x08', '\x10', '\3'});
  header += choices.PickValueInArray({'\0', '\2', '\3', '\4', '\6', '\5'});
  header += std::string{'\0', '\0', choices.PickValueInArray({'\0', '\1'})};
  std::string file = "\x89PNG\r\n\x1a\n" + PngBuilder::chunk("IHDR", header);
  for (int i = choices.ConsumeIntegralInRange(0, 4); i > 0; --i) {
    const char* name = choices.PickValueInArray({"PLTE", "tRNS", "bKGD", "hIST", "sBIT", "gAMA", "cHRM", "iCCP", "sPLT",
                                                 "tEXt", "zTXt", "iTXt", "eXIf", "tIME", "pHYs", "sRGB", "vpAg"});
    file += PngBuilder::chunk(name, choices.ConsumeRandomLengthString(800));
  }
  const std::string data = PngBuilder::compressed(choices.ConsumeRemainingBytesAsString());
  const std::size_t cut = data.size() / 2;
  return file + PngBuilder::chunk("IDAT", data.substr(0, cut)) + PngBuilder::chunk("IDAT", data.substr(cut)) +
         PngBuilder::chunk("IEND", "");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider choices(data, size);
  const int form = choices.ConsumeIntegralInRange(0, 2);
  std::string file = form == 2 ? drawn(choices) : choices.ConsumeRemainingBytesAsString();
  if (form == 1) file = with_right_checksums(std::move(file));
  fuzz::read_anything({ExitCode::bad_data}, [&] {
    image::Image image = image::decode_png(std::as_bytes(std::span(file)), "x.png");
    fuzz::require(image.channels == 1 || image.channels == 3, "neither grey nor colour");
    fuzz::require(image.pixels.size() == image.height * image.width * image.channels, "pixels too many or too few");
    fuzz::require(data::fit_to_shape(std::move(image), {28, 28, 1}).size() == 28 * 28, "not resampled");
  });
  return 0;
}
