#include "cli/text/command_line.h"

#include <gtest/gtest.h>

namespace isochron::cli {
namespace {

TEST(CommandLine, IsOneThatAShellTakes) {
  EXPECT_EQ(ShellQuote("boot.log"), "boot.log");
  EXPECT_EQ(ShellQuote("--engines=ref,jit:threshold=1"), "--engines=ref,jit:threshold=1");
  EXPECT_EQ(ShellQuote(""), "''");
  EXPECT_EQ(ShellQuote("console=ttyS0 quiet"), "'console=ttyS0 quiet'");
  EXPECT_EQ(ShellQuote("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellQuote("$(rm)"), "'$(rm)'");
  EXPECT_EQ(ShellQuote("jit!ldl"), "'jit!ldl'");
  const char* const words[] = {"isochron", "run", "--append", "a b"};
  NoteCommandLine(4, words);
  EXPECT_EQ(CommandLine(), "isochron run --append 'a b'");
}

}  // namespace
}  // namespace isochron::cli
