#include "cli/run/command_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "hostio/temporary_directory.h"

namespace isochron::cli {
namespace {

class CommandFilesTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return directory_.Path(name); }
  std::string Make(const std::string& name) const {
    std::ofstream(Path(name)) << name;
    return Path(name);
  }

  const hostio::TemporaryDirectory directory_;
  CommandFiles files_;
};

TEST_F(CommandFilesTest, ReadingAFileTwiceIsNoConflict) {
  files_.AddInput(Make("image"), "the kernel");
  files_.AddInput(Path("image"), "the initrd");
  EXPECT_TRUE(files_.Check().ok());
}

TEST_F(CommandFilesTest, NamesBothUses) {
  files_.AddInput(Make("image"), "the kernel");
  files_.AddOutput(Path("image"), "the report");
  EXPECT_EQ(files_.Check().message(), Path("image") + " cannot be both the kernel and the report");
}

TEST_F(CommandFilesTest, FindsFilesThatDoNotExistYetByTheirNames) {
  files_.AddLog(Path("new"), "the log");
  files_.AddOutput(Path("./new.images"), "the report");
  EXPECT_FALSE(files_.Check().ok());
}

TEST_F(CommandFilesTest, FindsLinks) {
  ASSERT_EQ(link(Make("image").c_str(), Path("hard").c_str()), 0);
  ASSERT_EQ(symlink("image", Path("soft").c_str()), 0);
  for (const char* name : {"hard", "soft"}) {
    CommandFiles files;
    files.AddInput(Path("image"), "the kernel");
    files.AddOutput(Path(name), "the report");
    EXPECT_FALSE(files.Check().ok()) << name;
  }
}

TEST_F(CommandFilesTest, DevicesPipesAndStandardOutputAreNobodys) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  for (const std::string& path : {std::string("/dev/null"), std::string("-"), Path("pipe")}) {
    files_.AddOutput(path, "the console's output");
    files_.AddOutput(path, "the report");
    files_.AddLog(path, "the log");
  }
  EXPECT_TRUE(files_.Check().ok());
}

TEST_F(CommandFilesTest, OptionsThatWereNotGivenAreNoFiles) {
  files_.AddInput("", "the script");
  files_.AddOutput("", "the report");
  files_.AddLog("", "the log");
  EXPECT_TRUE(files_.Check().ok());
}

TEST_F(CommandFilesTest, SaysWhatCannotBeWritten) {
  const std::string missing = Path("no/file");
  files_.AddOutput(missing, "the report");
  EXPECT_EQ(files_.Check().message(), "cannot write " + missing + ": No such file or directory");
  CommandFiles files;
  files.AddOutput(directory_.path(), "the report");
  EXPECT_EQ(files.Check().message(), "cannot write " + directory_.path() + ": Is a directory");
}

TEST_F(CommandFilesTest, CreatesNothing) {
  files_.AddLog(Path("log"), "the log");
  EXPECT_TRUE(files_.Check().ok());
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

}  // namespace
}  // namespace isochron::cli
