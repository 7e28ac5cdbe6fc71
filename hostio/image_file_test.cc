#include "hostio/image_file.h"

#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hostio/temporary_directory.h"

namespace isochron::hostio {
namespace {

using ::testing::HasSubstr;

std::string Gzip(const std::string& text) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<const Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

class ImageFileTest : public ::testing::Test {
 protected:
  void WriteFile(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.Path("image");
};

TEST_F(ImageFileTest, ReadsPlainFiles) {
  const std::string bytes = std::string("a\0b", 3) + std::string(200'000, 'c');
  WriteFile(bytes);
  EXPECT_EQ(ReadFileBytes(path_).value(), bytes);
  EXPECT_EQ(ReadImageFile(path_).value(), bytes);
  WriteFile("");
  EXPECT_EQ(ReadImageFile(path_).value(), "");
}

TEST_F(ImageFileTest, UnpacksKernelsOnly) {
  const std::string text(300'000, 'k');
  WriteFile(Gzip(text));
  EXPECT_EQ(ReadImageFile(path_).value(), text);
  EXPECT_EQ(ReadFileBytes(path_).value(), Gzip(text));
}

TEST_F(ImageFileTest, NamesThePathInEveryError) {
  const absl::Status missing = ReadImageFile(path_).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(missing.message(), path_ + ": No such file or directory");

  const absl::Status directory = ReadImageFile(directory_.path()).status();
  EXPECT_EQ(directory.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(directory.message(), directory_.path() + ": is a directory");

  WriteFile(std::string((1 << 20) + 1, 'x'));
  const absl::Status large = ReadImageFile(path_, 1 << 20).status();
  EXPECT_EQ(large.message(), path_ + ": larger than 1 MiB");

  WriteFile(Gzip(std::string((1 << 20) + 1, 'x')));
  const absl::Status unpacked = ReadImageFile(path_, 1 << 20).status();
  EXPECT_EQ(unpacked.message(), path_ + ": larger than 1 MiB");

  WriteFile(Gzip("some text").substr(0, 20));
  const absl::Status cut = ReadImageFile(path_).status();
  EXPECT_EQ(cut.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(cut.message(), path_ + ": gzip data cut short");
}

TEST_F(ImageFileTest, SaysWhenReadingIsNotAllowed) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  WriteFile("secret");
  ASSERT_EQ(chmod(path_.c_str(), 0), 0);
  EXPECT_EQ(ReadImageFile(path_).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(ImageFileTest, BoundsEndlessFiles) {
  EXPECT_THAT(std::string(ReadFileBytes("/dev/zero", 1 << 20).status().message()),
              HasSubstr("larger than 1 MiB"));
}

TEST(GunzipTest, ReadsAllMembersAndIgnoresPadding) {
  const std::string two = Gzip("one ") + Gzip("two");
  EXPECT_EQ(Gunzip(two, 100).value(), "one two");
  EXPECT_EQ(Gunzip(two + std::string(512, '\0'), 100).value(), "one two");
  EXPECT_EQ(Gunzip(two + "trailer", 100).value(), "one two");
  EXPECT_EQ(Gunzip(Gzip(""), 100).value(), "");
}

TEST(GunzipTest, HoldsTheBoundExactly) {
  EXPECT_TRUE(Gunzip(Gzip(std::string(100, 'x')), 100).ok());
  EXPECT_FALSE(Gunzip(Gzip(std::string(101, 'x')), 100).ok());
}

TEST(GunzipTest, RejectsEveryTruncationAndDamage) {
  const std::string packed = Gzip("the quick brown fox");
  for (size_t size = 3; size < packed.size(); ++size) {
    EXPECT_EQ(Gunzip(packed.substr(0, size), 1000).status().code(), absl::StatusCode::kDataLoss)
        << size;
  }
  std::string damaged = packed;
  damaged[packed.size() - 5] ^= 1;  // checksum
  EXPECT_EQ(Gunzip(damaged, 1000).status().message(), "damaged gzip data");
}

}  // namespace
}  // namespace isochron::hostio
