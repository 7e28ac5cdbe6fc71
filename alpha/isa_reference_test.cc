#include "alpha/isa_reference.h"

#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace isochron::alpha {
namespace {

TEST(IsaReference, FileInDocsIsUpToDate) {
  std::ifstream file(ISOCHRON_SOURCE_DIR "/docs/isa.md");
  ASSERT_TRUE(file.is_open());
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(text.str() == IsaReference()) << "run: isa_reference > docs/isa.md";
}

TEST(IsaReference, IsAscii) {
  for (const char c : IsaReference()) ASSERT_TRUE(c == '\n' || (c >= ' ' && c <= '~'));
}

}  // namespace
}  // namespace isochron::alpha
