#include "debug/page.h"

#include "gtest/gtest.h"

namespace isochron::debug {
namespace {

TEST(PageString, MayStandInHtml) {
  EXPECT_EQ(PageString("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(PageString("</script><!--&"), R"("\u003c/script\u003e\u003c!--\u0026")");
  EXPECT_EQ(PageString("\xc3\xa4"), "\"\xc3\xa4\"");
}

TEST(FillPage, DoesNotLookAtWhatItPutsIn) {
  EXPECT_EQ(FillPage("a @A@ b @B@ c", {{"@A@", "@B@"}, {"@B@", "x"}}), "a @B@ b x c");
  EXPECT_EQ(FillPage("@T@ @T@", {{"@T@", "1"}, {"@T@", "2"}}), "1 2");
}

}  // namespace
}  // namespace isochron::debug
