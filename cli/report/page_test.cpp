#include "cli/report/page.h"

#include <gtest/gtest.h>

namespace burnish::cli::report {
namespace {

TEST(Page, HoldsAllItsFilesAndTheDocument) {
  const std::string html = page({{"name", "the model"}});
  EXPECT_NE(html.find(R"({"name":"the model"})"), std::string::npos);
  EXPECT_EQ(html.find("{{"), std::string::npos);
  for (const PageFile& file : page_files()) {
    if (file.path.ends_with(".html")) continue;
    EXPECT_NE(html.find(file.text), std::string::npos) << file.path;
  }
}

TEST(Page, NoTextOfTheModelEndsTheScript) {
  const std::string html = page({{"name", "</script><script>alert(1)</script><!--"}});
  EXPECT_EQ(html.find("alert(1)</script>"), std::string::npos);
  EXPECT_NE(html.find("\\u003c/script>"), std::string::npos);
}

TEST(Page, NamesNothingElsewhere) {
  const std::string html = page({});
  for (const char* elsewhere : {"https://", "src=", "@import", "fetch(", "XMLHttpRequest"})
    EXPECT_EQ(html.find(elsewhere), std::string::npos) << elsewhere;
  EXPECT_NE(html.find("default-src 'none'"), std::string::npos);
}

}  // namespace
}  // namespace burnish::cli::report
