#include "cli/host/escape_keys.h"

#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

TEST(EscapeKeys, LeavesOtherKeysAlone) {
  EscapeKeys keys;
  const EscapeKeys::Result result = keys.Feed("ls\x03\x1b[Axh");
  EXPECT_EQ(result.bytes, "ls\x03\x1b[Axh");
  EXPECT_FALSE(result.help);
  EXPECT_FALSE(result.quit);
}

TEST(EscapeKeys, QuitsAndDropsWhatFollows) {
  EscapeKeys keys;
  const EscapeKeys::Result result = keys.Feed("a\x01xb");
  EXPECT_EQ(result.bytes, "a");
  EXPECT_TRUE(result.quit);
}

TEST(EscapeKeys, Helps) {
  EscapeKeys keys;
  EXPECT_TRUE(keys.Feed("\x01h").help);
  EXPECT_TRUE(keys.Feed("\x01?").help);
  EXPECT_EQ(keys.Feed("h").bytes, "h");
}

TEST(EscapeKeys, SendsTheEscapeKeyItself) {
  EscapeKeys keys;
  EXPECT_EQ(keys.Feed("\x01\x01x\x01"
                      "ax")
                .bytes,
            "\x01x\x01x");
}

TEST(EscapeKeys, SendsBreaksInTheirPlace) {
  EscapeKeys keys;
  const EscapeKeys::Result result = keys.Feed(
      "a\x01"
      "b\x01"
      "bhb\x01"
      "b");
  EXPECT_EQ(result.bytes, "ahb");
  EXPECT_EQ(result.breaks, (std::vector<size_t>{1, 1, 3}));
}

TEST(EscapeKeys, DropsUnknownKeys) {
  EscapeKeys keys;
  EXPECT_EQ(keys.Feed("\x01zx").bytes, "x");
}

TEST(EscapeKeys, JoinsASequenceThatArrivesInParts) {
  EscapeKeys keys;
  EXPECT_EQ(keys.Feed("a\x01").bytes, "a");
  EXPECT_TRUE(keys.Feed("x").quit);
}

}  // namespace
}  // namespace isochron::cli
