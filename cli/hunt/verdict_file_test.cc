#include "cli/hunt/verdict_file.h"

#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "hostio/temporary_directory.h"

namespace isochron::cli {
namespace {

std::string ContentsOf(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class VerdictFileTest : public ::testing::Test {
 protected:
  const hostio::TemporaryDirectory directory_;
  const std::string path_ = directory_.Path("verdicts");
};

TEST_F(VerdictFileTest, IsInTheOrderOfSeedsWhoeverIsFirst) {
  auto verdicts = VerdictFile::Open(path_, "what", 7);
  ASSERT_TRUE(verdicts.ok()) << verdicts.status();
  EXPECT_TRUE(verdicts->Add({8, true, 20, 2}).ok());
  EXPECT_EQ(ContentsOf(path_), "what\n") << "7 may never come";
  EXPECT_TRUE(verdicts->Add({7, false, 10, 1}).ok());
  EXPECT_EQ(ContentsOf(path_), "what\n7 passes 10 1\n8 fails 20 2\n");
}

TEST_F(VerdictFileTest, HasNothingBehindItsEnd) {
  auto verdicts = VerdictFile::Open(path_, "what", 1);
  ASSERT_TRUE(verdicts.ok()) << verdicts.status();
  EXPECT_TRUE(verdicts->Add({3, true, 30, 3}).ok());
  verdicts->EndAt(2);
  EXPECT_TRUE(verdicts->Add({2, true, 20, 2}).ok());
  EXPECT_TRUE(verdicts->Add({1, false, 10, 1}).ok());
  EXPECT_EQ(ContentsOf(path_), "what\n1 passes 10 1\n2 fails 20 2\n");
}

TEST_F(VerdictFileTest, GoesOnBehindTheLastWholeLine) {
  std::ofstream(path_) << "what\n7 passes 10 1\n8 fails 2";
  {
    auto verdicts = VerdictFile::Open(path_, "what", 7);
    ASSERT_TRUE(verdicts.ok()) << verdicts.status();
    EXPECT_EQ(verdicts->lines(), std::vector<VerdictFile::Line>({{7, false, 10, 1}}));
    EXPECT_TRUE(verdicts->Add({8, true, 21, 3}).ok());
    EXPECT_TRUE(absl::IsFailedPrecondition(VerdictFile::Open(path_, "what", 7).status()));
  }
  EXPECT_EQ(ContentsOf(path_), "what\n7 passes 10 1\n8 fails 21 3\n");
}

TEST_F(VerdictFileTest, BeginsAgainWhereNotEvenItsFirstLineIsWhole) {
  for (const char* text : {"", "w", "what"}) {
    std::ofstream(path_) << text;
    auto verdicts = VerdictFile::Open(path_, "what", 7);
    EXPECT_TRUE(verdicts.ok()) << verdicts.status();
    EXPECT_EQ(ContentsOf(path_), "what\n");
  }
}

TEST_F(VerdictFileTest, HasNoPartOfALineForWhichThereIsNoRoom) {
  auto verdicts = VerdictFile::Open(path_, "what", 7);
  ASSERT_TRUE(verdicts.ok()) << verdicts.status();
  EXPECT_TRUE(verdicts->Add({7, false, 10, 1}).ok());
  rlimit unlimited;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  rlimit limited = unlimited;
  limited.rlim_cur = 25;
  const auto signaled = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limited), 0);
  const absl::Status status = verdicts->Add({8, true, 20, 2});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
  std::signal(SIGXFSZ, signaled);
  EXPECT_TRUE(absl::IsInternal(status)) << status;
  EXPECT_EQ(ContentsOf(path_), "what\n7 passes 10 1\n");
}

TEST_F(VerdictFileTest, OfAnotherHuntOrNoneIsRefusedAndLeftAlone) {
  for (const char* text :
       {"other\n", "what\n8 passes 1 1\n", "what\n7 wins 1 1\n", "what\n7 passes 1\n",
        "what\n7 passes 1 1x\n", "\n", "other", "whatever"}) {
    std::ofstream(path_) << text;
    EXPECT_TRUE(absl::IsInvalidArgument(VerdictFile::Open(path_, "what", 7).status())) << text;
    EXPECT_EQ(ContentsOf(path_), text);
  }
}

}  // namespace
}  // namespace isochron::cli
