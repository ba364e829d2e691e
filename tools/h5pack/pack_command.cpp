#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "commands.hpp"
#include "mnist_dist/core/allowed_values.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/output.hpp"
#include "mnist_dist/data/pack/image_source.hpp"
#include "mnist_dist/data/pack/pack.hpp"
#include "mnist_dist/data/pack/test_share.hpp"
#include "mnist_dist/image/image.hpp"
#include "progress.hpp"

namespace mnist_dist::h5pack {
namespace {

struct PackArguments {
  std::string root;
  std::string output;
  std::string size;
  std::string on_bad_image = "fail";
  data::PackOptions options;
};

// "WIDTHxHEIGHT" as a size; a side of 0 when it is not in this form.
data::ImageSize parse_size(const std::string& text) {
  data::ImageSize size;
  int used = 0;
  const bool plain = text.size() < 12 && text.find_first_not_of("0123456789x") == std::string::npos;
  if (!plain || std::sscanf(text.c_str(), "%zux%zu%n", &size.width, &size.height, &used) != 2 ||
      static_cast<std::size_t>(used) != text.size()) {
    return {};
  }
  return size;
}

std::string check_size(const std::string& text) {
  const data::ImageSize size = parse_size(text);
  if (size.width == 0 || size.height == 0) {
    return fmt::format("{} is no size: give WIDTHxHEIGHT in pixels, such as 28x28", printable(text));
  }
  return image::size_fault(size.width, size.height);
}

std::string check_share(const std::string& text) {
  double share = 0;
  if (CLI::detail::lexical_cast(text, share) && share >= 0 && share <= 0.9) return "";
  return fmt::format("{} is no share from 0 to 0.9", printable(text));
}

void print_summary(const PackArguments& arguments, const data::ImageSource& source, const data::PackResult& result,
                   double seconds) {
  const std::string output = printable(arguments.output);
  if (result.sizes_differ) {
    print_output(fmt::format("the images differ in size: all resampled to {}x{} (--size chooses another size)\n",
                             data::kDefaultSize.width, data::kDefaultSize.height));
  }
  if (!source.ignored().empty()) print_output(fmt::format("ignored: {}\n", source.ignored()));
  if (result.skipped_images > 0) print_output(fmt::format("{} bad images skipped\n", result.skipped_images));
  print_output(fmt::format("{}: {} training and {} testing images, {} classes, {}x{} {}\n", output,
                           result.training_rows, result.testing_rows, source.classes().size(), result.shape.width,
                           result.shape.height, result.shape.channels == 3 ? "colour" : "grey"));
  if (result.holdout_rows > 0) {
    print_output(
        fmt::format("{} of the training images, those for validation, are the holdout\n", result.holdout_rows));
  }
  if (arguments.options.test_share > 0) {
    print_output(fmt::format("{} of each class drawn for testing, with seed {}\n", arguments.options.test_share,
                             data::kTestShareSeed));
  }
  if (result.testing_rows == 0) {
    print_output("no test images: --test-share 0.2 would keep a fifth of each class back for `mnist-dist evaluate`\n");
  }
  print_output(fmt::format("content_sha256 {}\n", result.content_sha256));
  print_output(fmt::format("{:.2f} s, {:.1f} MB\n", seconds,
                           static_cast<double>(std::filesystem::file_size(arguments.output)) / 1e6));
}

void run_pack(PackArguments& arguments) {
  const auto start = std::chrono::steady_clock::now();
  if (!arguments.size.empty()) arguments.options.size = parse_size(arguments.size);
  arguments.options.on_bad_image = arguments.on_bad_image == "skip" ? data::BadImage::skip : data::BadImage::fail;
  const std::unique_ptr<data::ImageSource> source = data::open_image_source(arguments.root);
  data::PackResult result;
  {
    Progress progress("packing");
    arguments.options.progress = [&](std::size_t done, std::size_t total) { progress.update(done, total); };
    arguments.options.warn = [&](const std::string& message) { progress.warn("skipped " + message); };
    result = data::pack(*source, arguments.output, arguments.options);
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  print_summary(arguments, *source, result, elapsed.count());
}

}  // namespace

void add_pack_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("pack", "Pack a folder of images into a data set");
  const auto arguments = std::make_shared<PackArguments>();
  arguments->options.jobs = default_jobs();
  command
      ->add_option("ROOT", arguments->root,
                   "Folder of PNG or JPEG images: training/CLASS/* and testing/CLASS/* (or train/ and test/), and "
                   "validation/CLASS/* (or val/) for the holdout; or CLASS/* (then all is training data); or the four "
                   "MNIST IDX files, plain or .gz")
      ->required();
  command->add_option("OUT.h5", arguments->output, "Data set file to write; an older one is replaced when all is done")
      ->required();
  command
      ->add_option("--size", arguments->size,
                   "Resample every image to this size in pixels (default: the images' own size when they agree, "
                   "else 28x28)")
      ->type_name("WxH")
      ->check(CLI::Validator(check_size, ""));
  command->add_flag("--color,--colour", arguments->options.colour,
                    "Keep red, green and blue (default: everything becomes grey)");
  command->add_option("--jobs", arguments->options.jobs, "Threads that decode images; the result is the same for any")
      ->type_name("N")
      ->check(whole_number(1, 1024));
  command->add_option("--gzip", arguments->options.gzip, "Compression, from 0 (none) to 9 (smallest)")
      ->type_name("0-9")
      ->check(whole_number(0, 9));
  command
      ->add_option("--test-share", arguments->options.test_share,
                   "Keep this share of each class's training images back for testing, always the same ones; 0: none")
      ->type_name("0-0.9")
      ->check(CLI::Validator(check_share, ""));
  command->add_option("--on-bad-image", arguments->on_bad_image, "What to do with an image that cannot be read")
      ->type_name("fail|skip")
      ->check(one_of({"fail", "skip"}));
  command->callback([arguments] { run_pack(*arguments); });
}

}  // namespace mnist_dist::h5pack
