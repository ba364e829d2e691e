#include "mnist_dist/core/build_info.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <cstring>

namespace mnist_dist {
namespace {

/// The build id among an ELF file's notes, in hexadecimal; empty without one.
std::string build_id_in(const char* notes, std::size_t size) {
  const auto aligned = [](std::size_t bytes) { return (bytes + 3) / 4 * 4; };
  std::size_t next = 0;
  while (next + sizeof(ElfW(Nhdr)) <= size) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes + next, sizeof note);
    const char* const name = notes + next + sizeof note;
    const char* const content = name + aligned(note.n_namesz);
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof "GNU" &&
        std::memcmp(name, "GNU", sizeof "GNU") == 0) {
      std::string text;
      for (std::size_t i = 0; i < note.n_descsz; ++i) {
        text += fmt::format("{:02x}", static_cast<unsigned char>(content[i]));
      }
      return text;
    }
    next += sizeof note + aligned(note.n_namesz) + aligned(note.n_descsz);
  }
  return {};
}

/// Of the program, which comes first among what is loaded.
int find_build_id(dl_phdr_info* program, std::size_t /*size*/, void* found) {
  for (std::size_t i = 0; i < program->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = program->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    // The loader gives addresses as numbers. NOLINTNEXTLINE(performance-no-int-to-ptr)
    const auto* notes = reinterpret_cast<const char*>(program->dlpi_addr + segment.p_vaddr);
    auto& id = *static_cast<std::string*>(found);
    if (id.empty()) id = build_id_in(notes, segment.p_memsz);
  }
  return 1;  // no library after it
}

/// What the linker made of everything that it linked; installing and stripping leave it alone.
std::string build_id() {
  std::string id;
  dl_iterate_phdr(find_build_id, &id);
  return id.empty() ? "unknown" : id;
}

}  // namespace

std::string version() {
  return MNIST_DIST_VERSION;
}

std::string build_description() {
#if defined(__clang__)
  return fmt::format("mnist-dist {}, Clang {}", version(), __clang_version__);
#else
  return fmt::format("mnist-dist {}, GCC {}", version(), __VERSION__);
#endif
}

std::string build_identity() {
  static const std::string identity = fmt::format("{}, build id {:.16}", build_description(), build_id());
  return identity;
}

}  // namespace mnist_dist
