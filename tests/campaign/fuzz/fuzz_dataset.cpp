// Data sets: whole files that were made elsewhere, with their seal made right, or a data set that OddFile edits. All
// that a program reads of one is read.
#include <fuzzer/FuzzedDataProvider.h>
#include <sys/prctl.h>

#include <fstream>

#include "fuzz_target.hpp"
#include "mnist_dist/data/dataset_file.hpp"
#include "mnist_dist/data/dataset_guard.hpp"
#include "mnist_dist/data/image_rows.hpp"
#include "mnist_dist/data/pack/verify.hpp"
#include "odd_file.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;

namespace {

std::vector<std::byte> odd_data_set(FuzzedDataProvider& choices) {
  fuzz::OddFile file(choices);
  file.attribute("format", std::string("mnist-dist dataset"));
  file.attribute("format_version", std::int64_t{1});
  file.attribute("content_sha256", std::string("abc"));
  file.strings("/classes", {"a", "b", "c", "d"});
  const bool colour = choices.ConsumeBool();
  const auto images = [&](std::size_t rows) { return colour ? h5::Shape{rows, 3, 2, 3} : h5::Shape{rows, 3, 2}; };
  const h5::Shape image = colour ? h5::Shape{3, 2, 3} : h5::Shape{3, 2};
  file.numbers("/train/images", images(4), std::uint8_t{0});
  file.numbers("/train/labels", {4}, std::int32_t{0});
  file.strings("/train/names", {"a/1", "b/1", "c/1", "d/1"});
  file.numbers("/test/images", images(2), std::uint8_t{0});
  file.numbers("/test/labels", {2}, std::int32_t{0});
  file.strings("/test/names", {"a/2", "b/2"});
  file.numbers("/train/mean", image, 1.0F);
  file.numbers("/train/standard_deviation", image, 2.0F);
  return file.sealed();
}

void read_all(const std::filesystem::path& path) {
  data::check_dataset_file(path);
  const data::DatasetFile file(path);
  fuzz::require_printable({file.content_sha256()});
  for (const data::Split split : {data::Split::training, data::Split::testing}) {
    const std::vector<std::int32_t> labels = file.labels(split);
    fuzz::require(file.names(split).size() == labels.size(), "another number of names");
    std::vector<std::uint64_t> rows;
    for (std::size_t row = 0; row < std::min<std::size_t>(labels.size(), 100); ++row) rows.push_back(row);
    const data::ImageRows images(file, split, rows, labels);
    for (std::size_t i = 0; i < images.size(); ++i) {
      fuzz::require(static_cast<std::size_t>(images.label(i)) < file.classes().size(), "no such class");
    }
  }
  fuzz::require(file.mean().size() == file.image_shape().size(), "another number of means");
  fuzz::require(file.standard_deviation().size() == file.image_shape().size(), "another number of deviations");
  (void)data::verify(file);
}

}  // namespace

/// The pixels of a few small images need no huge page, which takes longer to clear than all the rest.
extern "C" int LLVMFuzzerInitialize(int* /*argument_count*/, char*** /*arguments*/) {
  return prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "x.h5";
  FuzzedDataProvider choices(data, size);
  const std::vector<std::byte> bytes =
      fuzz::is_whole_file({data, size}) ? fuzz::sealed_anew({data, size}) : odd_data_set(choices);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  fuzz::read_anything({ExitCode::bad_data}, [&] { read_all(path); });
  return 0;
}
