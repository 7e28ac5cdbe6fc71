#include "replaylog/output_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "replaylog/log_testing.h"

namespace isochron::replaylog {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<OutputFile> MustCreate(const std::string& path) {
  absl::StatusOr<std::unique_ptr<OutputFile>> file = OutputFile::Create(path);
  EXPECT_TRUE(file.ok()) << file.status();
  return *std::move(file);
}

TEST(OutputFileTest, AppearsWhenItIsWhole) {
  const std::string path = TestPath("file");
  std::unique_ptr<OutputFile> file = MustCreate(path);
  ASSERT_TRUE(file->Write("some").ok());
  ASSERT_TRUE(file->Write(" bytes").ok());
  EXPECT_FALSE(FileExists(path));
  ASSERT_TRUE(file->Commit().ok());
  EXPECT_EQ(ReadBytes(path), "some bytes");
  EXPECT_FALSE(FileExists(PartialPath(path)));
}

TEST(OutputFileTest, NothingStaysOfOneThatDidNotGoWell) {
  const std::string path = TestPath("file");
  WriteBytes(path, "old");
  std::unique_ptr<OutputFile> file = MustCreate(path);
  ASSERT_TRUE(file->Write("new").ok());
  EXPECT_EQ(file->Finish(absl::DataLossError("unreadable")), absl::DataLossError("unreadable"));
  EXPECT_EQ(ReadBytes(path), "old");
  EXPECT_FALSE(FileExists(PartialPath(path)));
  file.reset();
  file = MustCreate(path);
  EXPECT_TRUE(file->Finish(file->Write("new")).ok());
  EXPECT_EQ(ReadBytes(path), "new");
}

TEST(OutputFileTest, ItIsOnesOwnUntilItIsClosed) {
  const std::string path = TestPath("file");
  std::unique_ptr<OutputFile> file = MustCreate(path);
  EXPECT_TRUE(absl::IsAlreadyExists(OutputFile::Create(path).status()));
  ASSERT_TRUE(file->Commit().ok());
  // What belongs to it may still have to be completed.
  EXPECT_TRUE(absl::IsAlreadyExists(OutputFile::Create(path).status()));
  EXPECT_FALSE(FileExists(PartialPath(path)));
  file.reset();
  EXPECT_TRUE(OutputFile::Create(path).ok());
}

TEST(OutputFileTest, AnAbandonedFileMakesWayAndItsOtherNameStays) {
  const std::string path = TestPath("file");
  WriteBytes(TestPath("other"), "precious");
  std::filesystem::create_hard_link(TestPath("other"), PartialPath(path));
  std::unique_ptr<OutputFile> file = MustCreate(path);
  ASSERT_TRUE(file->Write("new").ok());
  ASSERT_TRUE(file->Commit().ok());
  EXPECT_EQ(ReadBytes(TestPath("other")), "precious");
  EXPECT_EQ(ReadBytes(path), "new");
}

TEST(OutputFileTest, NothingButAFileMayBeInThePartialOnesPlace) {
  const std::string path = TestPath("file");
  const std::string partial = PartialPath(path);
  const auto expect_refused = [&] {
    const absl::Status status = OutputFile::Create(path).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(partial + ": is no regular file"));
  };
  WriteBytes(TestPath("victim"), "precious");
  std::filesystem::create_symlink(TestPath("victim"), partial);
  expect_refused();
  EXPECT_EQ(ReadBytes(TestPath("victim")), "precious");
  std::filesystem::remove(partial);
  ASSERT_EQ(mkfifo(partial.c_str(), 0600), 0);
  expect_refused();
  std::filesystem::remove(partial);
  std::filesystem::create_directory(partial);
  expect_refused();
}

TEST(OutputFileTest, WhatSomebodyElseDoesToItIsNoticed) {
  const std::string path = TestPath("file");
  const std::string partial = PartialPath(path);
  const auto expect_aborted = [](const absl::Status& status, const std::string& what) {
    EXPECT_TRUE(absl::IsAborted(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(what));
  };
  std::unique_ptr<OutputFile> file = MustCreate(path);
  ASSERT_TRUE(file->Write("0123456789").ok());
  ASSERT_EQ(truncate(partial.c_str(), 5), 0);
  expect_aborted(file->Write("x"), "changed by somebody else");
  expect_aborted(file->Commit(), "changed by somebody else");
  EXPECT_EQ(ReadBytes(partial), "01234");
  file = nullptr;

  file = MustCreate(path);
  ASSERT_TRUE(file->Write("0123456789").ok());
  std::ofstream(partial, std::ios::app) << "more";
  expect_aborted(file->Write("x"), "changed by somebody else");
  file = nullptr;

  file = MustCreate(path);
  std::filesystem::rename(partial, TestPath("away"));
  WriteBytes(partial, "");
  expect_aborted(file->Commit(), "no longer the file that was written");
  file->Discard();
  EXPECT_TRUE(FileExists(partial));
}

TEST(OutputFileTest, ItIsItsOwnersAlone) {
  const std::string path = TestPath("file");
  const mode_t mask = umask(0);
  std::unique_ptr<OutputFile> file = MustCreate(path);
  umask(mask);
  struct stat info;
  ASSERT_EQ(stat(PartialPath(path).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

}  // namespace
}  // namespace isochron::replaylog
