#include <fmt/format.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "commands.hpp"
#include "mnist_dist/core/allowed_values.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/core/random.hpp"
#include "mnist_dist/core/retry.hpp"
#include "mnist_dist/data/pack/ordered_parallel.hpp"
#include "mnist_dist/image/png.hpp"
#include "progress.hpp"
#include "synthetic_digit.hpp"
#include "unfinished_folder.hpp"

namespace mnist_dist::h5pack {
namespace {

constexpr int kDigits = 10;
constexpr std::size_t kImagesPerBatch = 64;

struct SynthArguments {
  std::string folder;
  std::size_t training = 10000;
  std::size_t testing = 2000;
  std::size_t size = 28;
  std::uint64_t seed = 1;
  unsigned jobs = 1;
};

// One split: its folder, its number of images, and what tells its random streams from the other's.
struct SynthSplit {
  const char* name;
  std::size_t images;
  std::uint32_t stream;
};

void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  retry(error, [&] { std::filesystem::create_directory(folder, error); });
  if (error) throw file_error(fmt::format("cannot create {}", printable(folder.string())), error.value());
}

// Draws the images [first, last) of a split. The digits take turns, so that every class has its share.
void draw_images(const SynthArguments& arguments, const SynthSplit& split, const std::filesystem::path& folder,
                 std::size_t first, std::size_t last) {
  for (std::size_t row = first; row < last; ++row) {
    RandomStream random(
        {.seed = arguments.seed, .purpose = Purpose::synthetic_digit, .epoch = split.stream, .id = row});
    const int digit = static_cast<int>(row % kDigits);
    image::write_png(folder / fmt::format("{}/{:06}.png", digit, row), draw_digit(digit, arguments.size, random));
  }
}

void draw_split(const SynthArguments& arguments, const SynthSplit& split, const std::filesystem::path& parent,
                Progress& progress, std::size_t& done) {
  const std::filesystem::path folder = parent / split.name;
  make_folder(folder);
  for (int digit = 0; digit < kDigits; ++digit) make_folder(folder / std::to_string(digit));
  const std::size_t batches = (split.images + kImagesPerBatch - 1) / kImagesPerBatch;
  data::OrderedParallel<std::size_t> drawing(batches, arguments.jobs, [&](std::size_t batch) {
    const std::size_t first = batch * kImagesPerBatch;
    const std::size_t last = std::min(split.images, first + kImagesPerBatch);
    draw_images(arguments, split, folder, first, last);
    return last - first;
  });
  drawing.consume_all([&](std::size_t drawn) {
    done += drawn;
    progress.update(done, arguments.training + arguments.testing);
  });
}

void run_synth(const SynthArguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  UnfinishedFolder unfinished(arguments.folder);
  const std::array<SynthSplit, 2> splits = {{{"training", arguments.training, 0}, {"testing", arguments.testing, 1}}};
  {
    Progress progress("drawing");
    std::size_t done = 0;
    for (const SynthSplit& split : splits) {
      if (split.images > 0) draw_split(arguments, split, unfinished.path(), progress, done);
    }
  }
  unfinished.finish();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  print_output(fmt::format("{}: {} training and {} testing images of 10 digits, {}x{} grey\n{:.2f} s\n",
                           printable(arguments.folder), arguments.training, arguments.testing, arguments.size,
                           arguments.size, elapsed.count()));
}

}  // namespace

void add_synth_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("synth", "Draw a data set of handwriting-like digits as PNG class folders");
  const auto arguments = std::make_shared<SynthArguments>();
  arguments->jobs = default_jobs();
  command
      ->add_option("DIR", arguments->folder, "Folder to write, new or empty: training/0..9/*.png, testing/0..9/*.png")
      ->required();
  command->add_option("--training", arguments->training, "Number of training images, over all digits")
      ->type_name("N")
      ->check(whole_number(kDigits, 10000000));
  command->add_option("--testing", arguments->testing, "Number of testing images, over all digits; 0 for none")
      ->type_name("N")
      ->check(whole_number(0, 10000000));
  command->add_option("--size", arguments->size, "Height and width of the images in pixels")
      ->type_name("N")
      ->check(whole_number(8, 1024));
  command->add_option("--seed", arguments->seed, "Another seed draws other images")->type_name("N");
  command->add_option("--jobs", arguments->jobs, "Threads that draw; the result is the same for any")
      ->type_name("N")
      ->check(whole_number(1, 1024));
  command->callback([arguments] { run_synth(*arguments); });
}

}  // namespace mnist_dist::h5pack
