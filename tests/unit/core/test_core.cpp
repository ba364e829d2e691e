#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "float_comparison.hpp"
#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/core/random.hpp"
#include "mnist_dist/core/read_file.hpp"
#include "mnist_dist/core/sha256.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;

TEST_CASE("SHA-256 agrees with the examples of FIPS 180-4") {
  CHECK(sha256_hex({}) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 hash;
  hash.update("a");
  hash.update("bc");
  CHECK(hash.finish() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("random words depend on every part of the key") {
  const StreamKey base{.seed = 7, .purpose = Purpose::dropout, .epoch = 3, .id = 11};
  const auto words = [](const StreamKey& key) {
    std::array<std::uint32_t, 8> bits{};
    RandomStream(key).fill(bits);
    return bits;
  };
  CHECK(words(base) == words(base));
  StreamKey other = base;
  other.seed = 8;
  CHECK(words(other) != words(base));
  other = base;
  other.seed += std::uint64_t{1} << 40;
  CHECK(words(other) != words(base));
  other = base;
  other.purpose = Purpose::shuffle;
  CHECK(words(other) != words(base));
  other = base;
  other.epoch = 4;
  CHECK(words(other) != words(base));
  other = base;
  other.id += std::uint64_t{1} << 33;
  CHECK(words(other) != words(base));
}

TEST_CASE("a stream gives the same words one by one and at once") {
  const StreamKey key{.seed = 1, .purpose = Purpose::shuffle, .epoch = 0, .id = 5};
  std::array<std::uint32_t, 11> at_once{};
  RandomStream filled(key);
  filled.fill(std::span(at_once).first(3));
  filled.fill(std::span(at_once).subspan(3));
  RandomStream stream(key);
  for (const std::uint32_t word : at_once) CHECK(stream.next_bits() == word);
}

TEST_CASE("many streams at once give the words of each") {
  const StreamKey key{.seed = 0x123456789abcdefU, .purpose = Purpose::dropout, .epoch = 7, .id = 0};
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 0; i < 200; ++i) ids.push_back((i << 40) + 3 * i + 1);
  constexpr std::size_t kBlocks = 13;
  std::vector<std::uint32_t> words(ids.size() * kBlocks * kWordsOfBlock);
  fill_streams(key, ids, kBlocks, words);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    StreamKey of_id = key;
    of_id.id = ids[i];
    std::vector<std::uint32_t> expected(kBlocks * kWordsOfBlock);
    RandomStream(of_id).fill(expected);
    CHECK(std::ranges::equal(expected, std::span(words).subspan(i * expected.size(), expected.size())));
  }
}

TEST_CASE("Philox agrees with the known answer of Random123's own tests (philox4x32 10 rounds, all zero)") {
  // The key (seed 0, purpose 0, epoch 0, id 0) is the all-zero counter and key.
  std::array<std::uint32_t, 4> words{};
  RandomStream({.seed = 0, .purpose = Purpose{0}, .epoch = 0, .id = 0}).fill(words);
  CHECK(words == std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
}

TEST_CASE("below() is uniform and a shuffle keeps every value") {
  RandomStream stream({.seed = 2, .purpose = Purpose::shuffle, .epoch = 0, .id = 0});
  std::array<int, 10> counts{};
  for (int i = 0; i < 100000; ++i) ++counts[stream.below(10)];
  // The standard deviation of each count is 95.
  for (const int count : counts) CHECK(difference(count, 10000) < 500);

  // Of this bound a plain product would give every third value twice as often.
  int thirds = 0;
  for (int i = 0; i < 30000; ++i) thirds += stream.below(3U << 30) % 3 == 0 ? 1 : 0;
  CHECK(difference(thirds, 10000) < 500);

  std::vector<int> values(1000);
  std::iota(values.begin(), values.end(), 0);
  std::vector<int> shuffled = values;
  stream.shuffle(std::span(shuffled));
  CHECK(shuffled != values);
  std::sort(shuffled.begin(), shuffled.end());
  CHECK(shuffled == values);
}

TEST_CASE("an atomic file replaces its target only when committed") {
  const TemporaryFolder folder;
  const std::filesystem::path target = folder.path() / "file.txt";
  write_file_atomically(target, std::string_view("old"));
  {
    AtomicFile file(target);
    file.write(std::as_bytes(std::span(std::string_view("new"))));
    CHECK(read_text_file(target) == "old");
  }
  CHECK(read_text_file(target) == "old");
  {
    AtomicFile file(target);
    file.write(std::as_bytes(std::span(std::string_view("new"))));
    file.commit();
  }
  CHECK(read_text_file(target) == "new");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("an atomic file may be read by whom a new file may be read by") {
  const TemporaryFolder folder;
  const mode_t before = umask(0027);
  write_file_atomically(folder.path() / "file", std::string_view("x"));
  umask(before);
  CHECK(std::filesystem::status(folder.path() / "file").permissions() == std::filesystem::perms{0640});
}

TEST_CASE("an atomic file can be written through its path") {
  const TemporaryFolder folder;
  const std::filesystem::path target = folder.path() / "file.bin";
  AtomicFile file(target);
  const int descriptor = open(file.path_for_writing().c_str(), O_WRONLY | O_TRUNC);
  REQUIRE(descriptor >= 0);
  REQUIRE(write(descriptor, "abc", 3) == 3);
  close(descriptor);
  file.commit();
  CHECK(read_text_file(target) == "abc");
}

TEST_CASE("an atomic file leaves links as they are and replaces, or makes, what they lead to") {
  const TemporaryFolder folder;
  const auto path = [&](const char* name) { return folder.path() / name; };
  std::filesystem::create_directory(path("there"));
  std::filesystem::create_symlink("there/second", path("first"));
  std::filesystem::create_symlink("../file", path("there/second"));
  std::filesystem::create_symlink(path("file"), path("absolute"));
  for (const char* text : {"made", "replaced"}) {
    write_file_atomically(path("first"), std::string_view(text));
    CHECK(read_text_file(path("file")) == text);
  }
  write_file_atomically(path("absolute"), std::string_view("again"));
  CHECK(read_text_file(path("file")) == "again");
  for (const char* link : {"first", "there/second", "absolute"}) CHECK(std::filesystem::is_symlink(path(link)));
  CHECK_FALSE(std::filesystem::is_symlink(path("file")));

  std::filesystem::create_symlink("round", path("about"));
  std::filesystem::create_symlink("about", path("round"));
  CHECK_THROWS_WITH_AS(AtomicFile(path("round")),
                       ("cannot write " + path("round").string() + ": Too many levels of symbolic links").c_str(),
                       Error);
}

TEST_CASE("an atomic file does not replace what is no regular file") {
  const TemporaryFolder folder;
  std::filesystem::create_symlink("pipe", folder.path() / "link");
  REQUIRE(mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
  REQUIRE(mknod((folder.path() / "socket").c_str(), S_IFSOCK | 0600, 0) == 0);
  std::vector<std::string> names = {"pipe", "link", "socket"};
  // Only root may make one.
  if (mknod((folder.path() / "null").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0) names.emplace_back("null");
  for (const std::string& name : names) {
    const std::filesystem::path path = folder.path() / name;
    CHECK_THROWS_WITH_AS(AtomicFile{path}, ("cannot write " + path.string() + ": it is no regular file").c_str(),
                         Error);
    CHECK_FALSE(std::filesystem::is_regular_file(path));
  }
  CHECK_THROWS_WITH_AS(AtomicFile{folder.path()},
                       ("cannot write " + folder.path().string() + ": Is a directory").c_str(), Error);
}

TEST_CASE("an atomic file may have the longest name that there is") {
  const TemporaryFolder folder;
  const std::filesystem::path longest = folder.path() / std::string(255, 'n');
  write_file_atomically(longest, std::string_view("x"));
  CHECK(read_text_file(longest) == "x");
  CHECK_THROWS_AS(AtomicFile(folder.path() / std::string(256, 'n')), Error);
}

TEST_CASE("names are safe to print on one line") {
  CHECK(printable("a\nb\x1b[2J\x7f\xc3\xa4") == "a?b?[2J?\xc3\xa4");
}

TEST_CASE("a failed write names the file and the reason") {
  const TemporaryFolder folder;
  try {
    write_file_atomically(folder.path() / "missing" / "file", std::string_view("x"));
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.exit_code() == ExitCode::file_system);
    CHECK(std::string(error.what()).find("missing/file: No such file or directory") != std::string::npos);
  }
  CHECK_THROWS_AS(write_file_atomically(folder.path(), std::string_view("x")), Error);
  CHECK_THROWS_AS(read_file(folder.path() / "nothing"), Error);
}
