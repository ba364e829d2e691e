// Configuration files. What is taken must come back the same from the file that is written of it, as config.toml is.
#include "fuzz_target.hpp"
#include "mnist_dist/train/settings.hpp"

using namespace mnist_dist;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  fuzz::read_anything({ExitCode::usage}, [&] {
    const train::Settings settings = train::settings_from_toml(text, "x.toml");
    train::check_settings(settings);
    const std::string written = train::to_toml(settings);
    try {
      fuzz::require(train::settings_from_toml(written, "config.toml") == settings, "other settings when read again");
    } catch (const Error& error) {
      fuzz::fail(std::string("cannot be read again: ") + error.what());
    }
  });
  return 0;
}
