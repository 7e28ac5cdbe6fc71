#include "hostio/file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/status/status.h"
#include "hostio/temporary_directory.h"

namespace isochron::hostio {
namespace {

using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return directory_.Path(name); }
  std::string MakeFifo() const {
    mkfifo(Path("fifo").c_str(), 0600);
    return Path("fifo");
  }

  const TemporaryDirectory directory_;
};

std::string ReadToEnd(int fd) {
  std::string bytes;
  char buffer[100];
  for (ssize_t got; (got = ReadSome(fd, buffer, sizeof buffer)) > 0;) {
    bytes.append(buffer, static_cast<size_t>(got));
  }
  return bytes;
}

TEST_F(FileTest, KnowsWhatAFileIs) {
  std::ofstream(Path("file")) << "x";
  for (const auto& [path, kind] : {std::pair{Path("file"), FileKind::kRegular},
                                   {MakeFifo(), FileKind::kPipe},
                                   {std::string("/dev/zero"), FileKind::kDevice},
                                   {directory_.path(), FileKind::kDirectory}}) {
    absl::StatusOr<Descriptor> file = OpenForReading(path);  // must not wait for the pipe's writer
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(KindOf(file->fd()).value(), kind) << path;
  }
  EXPECT_TRUE(absl::IsNotFound(OpenForReading(Path("none")).status()));
}

TEST_F(FileTest, AWriterThatComesLateIsWaitedFor) {
  const std::string fifo = MakeFifo();
  absl::StatusOr<Descriptor> file = OpenForReading(fifo);
  ASSERT_TRUE(file.ok());
  std::thread writer([&fifo] { std::ofstream(fifo) << "late"; });
  EXPECT_EQ(ReadToEnd(file->fd()), "late");
  writer.join();
}

TEST_F(FileTest, OpenRegularTakesNothingElse) {
  for (const std::string& path : {MakeFifo(), std::string("/dev/zero"), directory_.path()}) {
    const absl::Status status = OpenRegular(path, "a list").status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("no regular file, and a list is to be"));
  }
}

TEST_F(FileTest, OpenSpecialForWritingOverwritesNoFile) {
  std::ofstream(Path("file")) << "precious";
  EXPECT_TRUE(absl::IsFailedPrecondition(OpenSpecialForWriting(Path("file")).status()));
  EXPECT_TRUE(OpenSpecialForWriting("/dev/null").ok());
}

TEST_F(FileTest, CreateNewFollowsNoLinkAndIsOurs) {
  std::ofstream(Path("victim")) << "precious";
  std::filesystem::create_symlink(Path("victim"), Path("link"));
  std::filesystem::create_symlink(Path("nowhere"), Path("dangling"));
  for (const char* name : {"victim", "link", "dangling"}) {
    EXPECT_TRUE(absl::IsAlreadyExists(CreateNew(Path(name)).status())) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(Path("nowhere")));
  const mode_t mask = umask(0);
  const absl::StatusOr<Descriptor> file = CreateNew(Path("new"));
  umask(mask);
  ASSERT_TRUE(file.ok()) << file.status();
  struct stat info;
  ASSERT_EQ(fstat(file->fd(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

TEST_F(FileTest, WritesAllWhereTheFileDoesNotWait) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_NONBLOCK), 0);
  const Descriptor out(ends[0]);
  Descriptor in(ends[1]);
  const std::string bytes(1 << 20, 'x');  // more than a pipe holds
  std::string read;
  std::thread reader([&] { read = ReadToEnd(out.fd()); });
  EXPECT_EQ(WriteAll(in.fd(), bytes), bytes.size());
  in = Descriptor();
  reader.join();
  EXPECT_EQ(read, bytes);
}

TEST_F(FileTest, AWriteBeyondAQuotaIsAnError) {
  EXPECT_EXIT(
      {
        signal(SIGXFSZ, SIG_IGN);
        rlimit limit;
        limit.rlim_cur = limit.rlim_max = 100;
        setrlimit(RLIMIT_FSIZE, &limit);
        const Descriptor file = CreateNew(Path("small")).value();
        const size_t written = WriteAll(file.fd(), std::string(1000, 'x'));
        _exit(written == 100 && errno == EFBIG ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(FileTest, APipeIsCopiedUpToALimit) {
  const auto copy = [](size_t bytes, uint64_t limit) -> absl::StatusOr<std::string> {
    int ends[2];
    if (pipe(ends) != 0) return absl::InternalError("pipe");
    const Descriptor out(ends[0]);
    std::thread writer([in = ends[1], bytes] {
      WriteAll(in, std::string(bytes, 'x'));
      close(in);
    });
    absl::StatusOr<Descriptor> file = CopyToTemporaryFile(out.fd(), limit);
    ReadToEnd(out.fd());
    writer.join();
    if (!file.ok()) return file.status();
    lseek(file->fd(), 0, SEEK_SET);
    return ReadToEnd(file->fd());
  };
  EXPECT_EQ(copy(100'000, 100'000).value(), std::string(100'000, 'x'));
  EXPECT_EQ(copy(0, 0).value(), "");
  EXPECT_TRUE(absl::IsOutOfRange(copy(100'001, 100'000).status()));
}

TEST_F(FileTest, IsNameOfSeesThroughNoLink) {
  const Descriptor file = CreateNew(Path("file")).value();
  std::filesystem::create_symlink(Path("file"), Path("link"));
  EXPECT_TRUE(IsNameOf(Path("file"), file.fd()));
  EXPECT_FALSE(IsNameOf(Path("link"), file.fd()));
}

}  // namespace
}  // namespace isochron::hostio
