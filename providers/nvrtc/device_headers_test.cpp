#include "providers/nvrtc/device_headers.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "providers/nvrtc/compile.h"

namespace burnish::nvrtc {

static std::map<std::string, std::string> files_on_disk() {
  namespace fs = std::filesystem;
  const fs::path root = BURNISH_SOURCE_DIR;
  std::map<std::string, std::string> files;
  for (const char* folder : {"base", "providers/nvrtc/device", "ops"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.path().extension() != ".cuh") continue;
      std::ifstream stream(entry.path());
      files[fs::relative(entry.path(), root)] = {std::istreambuf_iterator<char>(stream), {}};
    }
  }
  return files;
}

TEST(DeviceHeaders, AreTheFilesOnDisk) {
  std::map<std::string, std::string> embedded;
  for (const DeviceHeader& header : device_headers()) {
    embedded[std::string(header.path)] = header.text;
    EXPECT_EQ(header.path.data()[header.path.size()], '\0');
    EXPECT_EQ(header.text.data()[header.text.size()], '\0');
  }
  EXPECT_EQ(embedded, files_on_disk());
  EXPECT_EQ(embedded.size(), device_headers().size());
  EXPECT_FALSE(embedded.empty());
}

TEST(DeviceHeaders, EachCompilesAloneForEveryArchitecture) {
  const auto compiler = Compiler::open();
  ASSERT_TRUE(compiler) << compiler.error().cause();
  for (const DeviceHeader& header : device_headers())
    for (const Architecture& architecture : architectures()) {
      const std::string text = "#include \"" + std::string(header.path) + "\"\n";
      const auto cubin = compiler->compile({std::string(header.path), text, {}}, architecture.target);
      EXPECT_TRUE(cubin) << cubin.error().cause();
    }
}

}  // namespace burnish::nvrtc
