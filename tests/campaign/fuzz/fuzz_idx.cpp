// IDX files: a folder with images and labels of one or both splits, plain or gzip, some with headers made right.
#include <fuzzer/FuzzedDataProvider.h>
#include <zlib.h>

#include "fuzz_target.hpp"
#include "mnist_dist/data/pack/idx.hpp"
#include "png_builder.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;

namespace {

const char* const kNames[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                              "t10k-labels-idx1-ubyte"};

std::string header(FuzzedDataProvider& choices, bool images) {
  std::string text{'\0', '\0', '\x08', images ? '\3' : '\1'};
  for (int i = images ? 3 : 1; i > 0; --i) text += PngBuilder::number(choices.ConsumeIntegralInRange(0U, 20U));
  return text;
}

void write(const std::filesystem::path& path, const std::string& text, bool compressed) {
  const gzFile file = gzopen(path.c_str(), compressed ? "wb1" : "wbT");
  fuzz::require(file != nullptr, "no file in the temporary folder");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose_w(file);
}

void read_all(const data::ImageSource& source) {
  for (const data::Split split : {data::Split::training, data::Split::testing}) {
    for (std::size_t row = 0; row < std::min<std::size_t>(source.rows(split), 100); ++row) {
      const image::Image image = source.image(split, row);
      fuzz::require(image.pixels.size() == image.height * image.width, "pixels too many or too few");
      fuzz::require(static_cast<std::size_t>(source.label(split, row)) < source.classes().size(), "no such class");
      fuzz::require(!source.name(split, row).empty(), "no name");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TemporaryFolder folder;
  FuzzedDataProvider choices(data, size);
  const int files = choices.ConsumeIntegralInRange(1, 4);
  for (int i = 0; i < 4; ++i) {
    const bool has_header = choices.ConsumeBool();
    const bool compressed = choices.ConsumeBool();
    std::string text = has_header ? header(choices, i % 2 == 0) : "";
    text += choices.ConsumeRandomLengthString();
    if (i < files) write(folder.path() / kNames[i], text, compressed);
  }
  fuzz::read_anything({ExitCode::bad_data}, [&] { read_all(*data::open_idx_files(folder.path())); });
  for (const auto& file : std::filesystem::directory_iterator(folder.path())) std::filesystem::remove(file.path());
  return 0;
}
