#include "replaylog/image_set.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "replaylog/bundle.h"
#include "replaylog/bundle_writer.h"
#include "replaylog/log_testing.h"
#include "replaylog/packed_image.h"
#include "replaylog/tar.h"

namespace isochron::replaylog {
namespace {

using testing::HasSubstr;
using Role = ImageRecord::Role;

class ImageSetTest : public testing::Test {
 protected:
  void SetUp() override {
    WriteBytes(kernel_, "kernel bytes");
    WriteBytes(initrd_, std::string(100'000, 'i'));
    files_ = {DescribeImageFile(kernel_, Role::kKernel).value(),
              DescribeImageFile(initrd_, Role::kInitrd).value()};
    header_ = SmallHeader();
    header_.images = {files_[0].record, files_[1].record};
    WriteLog(log_, SmallEvents(), header_);
  }

  absl::Status Pack() { return WriteBundle(**FileSource::Open(log_), files_, bundle_); }

  const std::string log_ = TestPath("log");
  const std::string kernel_ = TestPath("kernel \\ with spaces");
  const std::string initrd_ = TestPath("initrd");
  const std::string bundle_ = TestPath("bundle");
  std::vector<ImageFile> files_;
  LogHeader header_;
};

TEST_F(ImageSetTest, DigestsFiles) {
  EXPECT_EQ(files_[0].record.size, 12u);
  EXPECT_EQ(files_[0].record.digest, machine::DigestOf("kernel bytes"));
  EXPECT_TRUE(absl::IsNotFound(DescribeImageFile("/no/such", Role::kKernel).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(DescribeImageFile(testing::TempDir(), Role::kKernel).status()));
}

TEST_F(ImageSetTest, SidecarNamesTheFiles) {
  ASSERT_TRUE(WriteSidecar(log_, files_).ok());
  EXPECT_EQ(SidecarPath(log_ + ".partial"), log_ + ".images");
  absl::StatusOr<std::vector<ImageFile>> read = ReadSidecar(log_);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].path, std::filesystem::absolute(kernel_).string());
  EXPECT_EQ((*read)[1].record, files_[1].record);
  absl::StatusOr<std::vector<ImageFile>> matched = MatchImages(header_, *read);
  ASSERT_TRUE(matched.ok()) << matched.status();
  EXPECT_EQ(ReadImage((*matched)[0]).value(), "kernel bytes");
}

TEST_F(ImageSetTest, SidecarErrorsNameFileAndLine) {
  EXPECT_TRUE(absl::IsNotFound(ReadSidecar(TestPath("none")).status()));
  WriteBytes(SidecarPath(log_), "isochron-images 1\nkernel 12 x\n");
  const absl::Status status = ReadSidecar(log_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr(log_ + ".images: line 2"));
}

TEST_F(ImageSetTest, RelativeNamesCountFromTheSidecar) {
  const std::string digest(32, '0');
  EXPECT_EQ(
      ParseImageList("isochron-images 1\nkernel " + digest + " 1 a b\n", "/dir").value()[0].path,
      "/dir/a b");
}

TEST_F(ImageSetTest, MatchRefusesOtherAndMissingImages) {
  std::vector<ImageFile> swapped = files_;
  std::swap(swapped[0].source, swapped[1].source);
  absl::Status status = MatchImages(header_, swapped).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("not the kernel of this log"));
  status = MatchImages(header_, {files_[0]}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("needs the image initrd"));
}

TEST_F(ImageSetTest, BundleHoldsLogAndImages) {
  ASSERT_TRUE(Pack().ok());
  EXPECT_TRUE(IsBundle(**FileSource::Open(bundle_)));
  EXPECT_FALSE(IsBundle(**FileSource::Open(log_)));
  auto reader = LogReader::Open(bundle_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->log_bytes(), ReadBytes(log_).size());
  // What has been opened stays.
  ASSERT_EQ(std::remove(bundle_.c_str()), 0);
  absl::StatusOr<std::vector<ImageFile>> matched =
      MatchImages(header_, (*reader)->bundled_images());
  ASSERT_TRUE(matched.ok()) << matched.status();
  EXPECT_EQ(ReadImage((*matched)[0]).value(), "kernel bytes");
  EXPECT_EQ(ReadImage((*matched)[1]).value(), std::string(100'000, 'i'));

  EXPECT_TRUE((*reader)->is_bundle());
  EXPECT_EQ(ReadRest(**reader).events, SmallEvents());
}

TEST_F(ImageSetTest, AnImageThatHasChangedIsNotBundled) {
  const auto code = [this](std::string_view now) {
    WriteBytes(kernel_, now);
    return Pack().code();
  };
  // Open since it was described, or opened anew.
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(code("kernel BYTES"), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(code(std::string(12'000, 'k')), absl::StatusCode::kFailedPrecondition);
    EXPECT_FALSE(code("kernel") == absl::StatusCode::kOk);
    EXPECT_FALSE(std::filesystem::exists(bundle_));
    EXPECT_FALSE(std::filesystem::exists(bundle_ + ".partial"));
    files_[0].source = nullptr;
  }
  EXPECT_EQ(code("kernel bytes"), absl::StatusCode::kOk);
}

TEST_F(ImageSetTest, ABundleServesForTheImagesInIt) {
  ASSERT_TRUE(Pack().ok());
  for (ImageFile& file : files_) file = {file.record, bundle_, nullptr};
  absl::StatusOr<std::vector<ImageFile>> matched = MatchImages(header_, files_);
  ASSERT_TRUE(matched.ok()) << matched.status();
  EXPECT_EQ(ReadImage((*matched)[0]).value(), "kernel bytes");
  EXPECT_EQ(ReadImage((*matched)[1]).value(), std::string(100'000, 'i'));
}

TEST_F(ImageSetTest, OnlyRegularFilesAreOpenedForAList) {
  const std::string fifo = TestPath("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  for (const std::string& path : {fifo, std::string("/dev/zero"), std::string("-")}) {
    files_[0] = {files_[0].record, path, nullptr};
    const absl::Status status = MatchImages(header_, files_).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("is no regular file"));
  }
}

TEST_F(ImageSetTest, WithoutAWorkingDirectoryASidecarIsAnError) {
  files_[0].path = "kernel";
  EXPECT_EXIT(
      {
        const std::string gone = TestPath("gone");
        if (mkdir(gone.c_str(), 0700) != 0 || chdir(gone.c_str()) != 0 ||
            rmdir(gone.c_str()) != 0) {
          _exit(1);
        }
        const absl::Status status = WriteSidecar(log_, files_);
        _exit(status.message().find("kernel: ") == 0 ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(ImageSetTest, BundleIsATarArchive) {
  ASSERT_TRUE(Pack().ok());
  const std::string list = TestPath("list");
  const std::string unpacked = TestPath("unpacked");
  ASSERT_EQ(std::system(("tar tf " + bundle_ + " > " + list).c_str()), 0);
  EXPECT_EQ(ReadBytes(list), "isochron-bundle\nlog\nkernel.zst\ninitrd.zst\n");
  ASSERT_EQ(std::system(("tar xOf " + bundle_ + " log > " + unpacked).c_str()), 0);
  EXPECT_EQ(ReadBytes(unpacked), ReadBytes(log_));
  ASSERT_EQ(std::system(("tar xOf " + bundle_ + " initrd.zst | zstd -d > " + unpacked).c_str()), 0);
  EXPECT_EQ(ReadBytes(unpacked), ReadBytes(initrd_));
  EXPECT_LT(ReadBytes(bundle_).size(), 10'000u);
}

// As bundles were before their images were packed.
TEST_F(ImageSetTest, ReadsAnOldBundle) {
  std::vector<ImageFile> members = files_;
  members[0].path = "kernel";
  members[1].path = "initrd";
  std::string bytes;
  const auto add = [&bytes](std::string_view name, const std::string& content) {
    bytes += MakeTarHeader(name, content.size()) + content;
    bytes += std::string(TarPadding(content.size()), '\0');
  };
  add("isochron-bundle", FormatImageList(members));
  add("log", ReadBytes(log_));
  add("kernel", ReadBytes(kernel_));
  add("initrd", ReadBytes(initrd_));
  WriteBytes(bundle_, bytes + std::string(2 * kTarBlock, '\0'));
  absl::StatusOr<std::vector<ImageFile>> matched =
      MatchImages(header_, LogReader::Open(bundle_).value()->bundled_images());
  ASSERT_TRUE(matched.ok()) << matched.status();
  EXPECT_EQ(ReadImage((*matched)[0]).value(), "kernel bytes");
  // In an old bundle, too.
  bytes[bytes.find("kernel bytes")] = 'K';
  WriteBytes(bundle_, bytes);
  EXPECT_TRUE(absl::IsFailedPrecondition(
      MatchImages(header_, LogReader::Open(bundle_).value()->bundled_images()).status()));
}

TEST_F(ImageSetTest, AnImageMostlyOfHolesTakesLittleRoom) {
  std::string sparse(8 << 20, '\0');
  sparse.replace(5 << 20, 3, "end");
  WriteBytes(initrd_, sparse);
  const std::shared_ptr<const FileSource> image = *FileSource::Open(initrd_);
  const PackedImage packed = PackImage(*image).value();
  EXPECT_LT(packed.packed->size(), 4096u);
  EXPECT_EQ(packed.digest, machine::DigestOf(sparse));
  const std::unique_ptr<FileSource> unpacked = UnpackImage(*packed.packed, packed.size).value();
  EXPECT_EQ(unpacked->size(), sparse.size());
  EXPECT_LT(unpacked->host_bytes(), uint64_t{1} << 20);
  std::string bytes;
  ASSERT_TRUE(unpacked->ReadAt(0, sparse.size(), bytes).ok());
  EXPECT_TRUE(bytes == sparse);
}

TEST_F(ImageSetTest, APackedImageMustBeWhatItsListSays) {
  const std::unique_ptr<FileSource> image = *FileSource::Open(initrd_);
  const PackedImage packed = PackImage(*image).value();
  for (uint64_t size : {uint64_t{0}, packed.size - 1, packed.size + 1}) {
    EXPECT_TRUE(absl::IsDataLoss(UnpackImage(*packed.packed, size).status())) << size;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(UnpackImage(*packed.packed, ~uint64_t{0}).status()));
  EXPECT_TRUE(absl::IsDataLoss(UnpackImage(*image, packed.size).status()));
  const auto cut = packed.packed->Part(0, packed.packed->size() - 1);
  EXPECT_TRUE(absl::IsDataLoss(UnpackImage(**cut, packed.size).status()));
}

TEST_F(ImageSetTest, CutBundlesAreErrors) {
  ASSERT_TRUE(Pack().ok());
  const std::string bytes = ReadBytes(bundle_);
  const std::string cut = TestPath("cut");
  const size_t content = bytes.size() - 2 * kTarBlock;
  for (size_t size = 0; size + kTarBlock < content; size += 97) {
    WriteBytes(cut, std::string_view(bytes).substr(0, size));
    EXPECT_FALSE(LogReader::Open(cut).ok()) << size;
  }
}

TEST_F(ImageSetTest, ChangedImageInABundleIsFound) {
  ASSERT_TRUE(Pack().ok());
  std::string bytes = ReadBytes(bundle_);
  bytes[bytes.find("kernel bytes")] = 'K';  // too short to become shorter
  WriteBytes(bundle_, bytes);
  EXPECT_TRUE(absl::IsDataLoss(
      MatchImages(header_, LogReader::Open(bundle_).value()->bundled_images()).status()));
}

}  // namespace
}  // namespace isochron::replaylog
