#include "base/mapped_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace burnish {
namespace {

class MapFile : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "mapped_file_" + std::to_string(getpid());
    std::ofstream(path_, std::ios::binary) << "burnish";
  }
  void TearDown() override { std::filesystem::remove(path_); }
  std::string path_;
};

TEST_F(MapFile, HoldsTheFilesBytesAsLongAsAnybodyDoes) {
  std::shared_ptr<const std::byte> last;
  {
    const Result<MappedFile> file = map_file(path_);
    ASSERT_TRUE(file);
    ASSERT_EQ(file->size, 7u);
    last = {file->bytes, file->bytes.get() + 6};
  }
  std::filesystem::remove(path_);
  EXPECT_EQ(*last, std::byte{'h'});
}

TEST_F(MapFile, AnEmptyFileHasNoBytes) {
  std::ofstream(path_, std::ios::trunc);
  const Result<MappedFile> file = map_file(path_);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size, 0u);
  EXPECT_EQ(file->bytes, nullptr);
}

TEST_F(MapFile, SaysWhatIsWrong) {
  const auto cause = [](const std::string& path) {
    const Result<MappedFile> file = map_file(path);
    return file ? "no error" : file.error().cause() + " " + file.error().remedy();
  };
  EXPECT_EQ(cause(path_ + ".no"),
            "cannot open '" + path_ + ".no': No such file or directory Check the path.");
  EXPECT_EQ(cause(::testing::TempDir()),
            "'" + ::testing::TempDir() + "' is not a regular file Name a file, not a folder or pipe.");
  std::filesystem::remove(path_);
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(cause(path_), "'" + path_ + "' is not a regular file Name a file, not a folder or pipe.");
}

}  // namespace
}  // namespace burnish
