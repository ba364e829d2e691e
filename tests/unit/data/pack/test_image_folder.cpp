#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "mnist_dist/core/atomic_file.hpp"
#include "mnist_dist/core/error.hpp"
#include "mnist_dist/data/pack/image_source.hpp"
#include "mnist_dist/image/png.hpp"
#include "temporary_folder.hpp"

using namespace mnist_dist;
using data::Split;

namespace {

// A folder of images, each of one pixel.
class Tree {
 public:
  void add(const std::string& path, std::uint8_t value = 0) {
    std::filesystem::create_directories((folder_.path() / path).parent_path());
    image::write_png(folder_.path() / path, {1, 1, 1, {value}});
  }
  void add_text(const std::string& path) {
    std::filesystem::create_directories((folder_.path() / path).parent_path());
    write_file_atomically(folder_.path() / path, std::string_view("text"));
  }
  [[nodiscard]] std::filesystem::path path(const std::string& inside = "") const {
    return inside.empty() ? folder_.path() : folder_.path() / inside;
  }
  [[nodiscard]] std::vector<std::string> names(Split split) const {
    const auto source = data::open_image_source(path());
    std::vector<std::string> names;
    for (std::size_t row = 0; row < source->rows(split); ++row) names.push_back(source->name(split, row));
    return names;
  }
  [[nodiscard]] std::string error(ExitCode expected = ExitCode::bad_data) const {
    try {
      (void)data::open_image_source(path());
    } catch (const Error& error) {
      CHECK(error.exit_code() == expected);
      return error.what();
    }
    return "no error";
  }

 private:
  TemporaryFolder folder_;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("training and testing folders are found by either name") {
  for (const bool short_names : {false, true}) {
    Tree tree;
    const std::string training = short_names ? "train" : "training";
    const std::string testing = short_names ? "test" : "testing";
    tree.add(training + "/b/2.png", 2);
    tree.add(training + "/b/10.png", 10);
    tree.add(training + "/a/x.png", 3);
    tree.add(testing + "/b/y.png", 4);
    const auto source = data::open_image_source(tree.path());
    CHECK(source->classes() == Names{"a", "b"});
    CHECK(tree.names(Split::training) == Names{training + "/a/x.png", training + "/b/10.png", training + "/b/2.png"});
    CHECK(tree.names(Split::testing) == Names{testing + "/b/y.png"});
    CHECK(source->label(Split::training, 0) == 0);
    CHECK(source->label(Split::training, 2) == 1);
    CHECK(source->label(Split::testing, 0) == 1);
    CHECK(source->image(Split::training, 1).pixels == std::vector<std::uint8_t>{10});
    CHECK(source->image(Split::testing, 0).pixels == std::vector<std::uint8_t>{4});
  }
}

TEST_CASE("class folders alone are training data") {
  Tree tree;
  tree.add("dog/1.png");
  tree.add("cat/1.png");
  CHECK(tree.names(Split::training) == Names{"cat/1.png", "dog/1.png"});
  CHECK(tree.names(Split::testing).empty());
}

TEST_CASE("classes are in byte order and any UTF-8") {
  Tree tree;
  for (const char* name : {"ä", "a", "B", "10", "9", "日本"}) tree.add(std::string(name) + "/1.png");
  CHECK(data::open_image_source(tree.path())->classes() == Names{"10", "9", "B", "a", "ä", "日本"});
}

TEST_CASE("upper case, hidden files, other files and folders without images") {
  Tree tree;
  tree.add("training/a/1.PNG");
  tree.add("training/a/2.pNg");
  tree.add("training/a/.3.png");
  tree.add("training/.hidden/4.png");
  tree.add("training/5.png");  // in no class
  tree.add_text("training/a/notes.txt");
  tree.add_text("training/a/png");
  tree.add_text("training/empty/readme");
  std::filesystem::create_directories(tree.path("testing/nothing"));
  CHECK(tree.names(Split::training) == Names{"training/a/1.PNG", "training/a/2.pNg"});
  const auto source = data::open_image_source(tree.path());
  CHECK(source->classes() == Names{"a"});
  CHECK(source->ignored() == "2 other files, 1 .txt file, 1 unsorted image");
}

TEST_CASE("a file is an image by its name or by its first bytes") {
  Tree tree;
  tree.add("a/1.jpg");
  tree.add("a/2.JPEG");
  tree.add("a/3");
  tree.add("a/4.jpx");
  tree.add_text("a/5.Jpg");  // fails when it is read
  tree.add_text("a/6.jp");
  CHECK(tree.names(Split::training) == Names{"a/1.jpg", "a/2.JPEG", "a/3", "a/4.jpx", "a/5.Jpg"});
  CHECK(data::open_image_source(tree.path())->ignored() == "1 .jp file");
}

TEST_CASE("validation images are training rows that are held out") {
  for (const char* name : {"val", "validation"}) {
    Tree tree;
    const std::string folder = name;
    tree.add("train/a/1.png");
    tree.add("train/b/1.png");
    tree.add(folder + "/b/2.png", 7);
    const auto source = data::open_image_source(tree.path());
    CHECK(source->classes() == Names{"a", "b"});
    CHECK(tree.names(Split::training) == Names{"train/a/1.png", "train/b/1.png", folder + "/b/2.png"});
    CHECK(source->rows(Split::testing) == 0);
    CHECK(source->label(Split::training, 2) == 1);
    CHECK(source->image(Split::training, 2).pixels == std::vector<std::uint8_t>{7});
    CHECK(source->ignored().empty());
    for (std::size_t row = 0; row < 3; ++row) CHECK(source->is_held_out(row) == (row == 2));
  }
}

TEST_CASE("symbolic links to files and folders are followed") {
  Tree tree;
  Tree elsewhere;
  elsewhere.add("real/1.png", 77);
  tree.add("a/1.png");
  std::filesystem::create_directory_symlink(elsewhere.path("real"), tree.path("b"));
  std::filesystem::create_symlink(elsewhere.path("real/1.png"), tree.path("a/2.png"));
  CHECK(tree.names(Split::training) == Names{"a/1.png", "a/2.png", "b/1.png"});
  const auto source = data::open_image_source(tree.path());
  CHECK(source->image(Split::training, 1).pixels == std::vector<std::uint8_t>{77});
  CHECK(source->image(Split::training, 2).pixels == std::vector<std::uint8_t>{77});
}

TEST_CASE("file names that are no UTF-8 can be read and are stored as text") {
  Tree tree;
  tree.add("a/k\xe4se.png", 9);
  CHECK(tree.names(Split::training) == Names{"a/k\xef\xbf\xbdse.png"});
  CHECK(data::open_image_source(tree.path())->image(Split::training, 0).pixels == std::vector<std::uint8_t>{9});
}

TEST_CASE("half a surrogate pair and a character with too many bytes are no UTF-8") {
  const std::string unknown = "\xef\xbf\xbd";
  for (const char* bytes : {"\xed\xa0\x80", "\xe0\x80\xaf"}) {
    Tree tree;
    tree.add(std::string("a/") + bytes + ".png", 9);
    CHECK(tree.names(Split::training) == Names{"a/" + unknown + unknown + unknown + ".png"});
  }
}

TEST_CASE("what cannot be a data set is said to be so") {
  CHECK(Tree().error().find("no PNG or JPEG images; wanted") != std::string::npos);
  {
    Tree tree;
    tree.add("testing/a/1.png");
    CHECK(tree.error() == tree.path().string() + ": holds testing/ but no training/ or train/");
  }
  {
    Tree tree;
    tree.add("training/a/1.png");
    tree.add("train/a/1.png");
    CHECK(tree.error().find("holds both training/ and train/") != std::string::npos);
  }
  {
    Tree tree;
    tree.add("training/a/1.png");
    // Before and after the classes of training, in byte order.
    for (const char* name : {"A", "b"}) {
      const std::string folder = std::string("testing/") + name;
      tree.add(folder + "/1.png");
      CHECK(tree.error() ==
            tree.path(folder).string() + ": the class \"" + name + "\" has test images but no training images");
      std::filesystem::remove_all(tree.path(folder));
    }
  }
  {
    Tree tree;
    std::filesystem::create_directories(tree.path("training/a"));
    CHECK(tree.error().starts_with(tree.path("training").string() + ": no PNG or JPEG images"));
  }
  {
    Tree tree;
    tree.add("a\xff/1.png");
    CHECK(tree.error().find("not valid UTF-8") != std::string::npos);
  }
  {
    Tree tree;
    std::filesystem::remove(tree.path());
    CHECK(tree.error(ExitCode::file_system) ==
          "cannot read the folder " + tree.path().string() + ": No such file or directory");
  }
}
