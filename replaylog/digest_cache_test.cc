#include "replaylog/digest_cache.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "hostio/temporary_directory.h"
#include "machine/events/digest.h"
#include "replaylog/file_source.h"
#include "replaylog/log_testing.h"

namespace isochron::replaylog {
namespace {

class DigestCacheTest : public ::testing::Test {
 protected:
  DigestCacheTest() : cache_(directory_.Path("cache/digests")) {
    Write(std::string(DigestCache::kLeastBytes, 'a'));
  }

  std::string image() const { return directory_.Path("image"); }
  void Write(const std::string& bytes) { std::ofstream(image(), std::ios::binary) << bytes; }

  machine::Digest Ask() const {
    const auto source = FileSource::Open(image());
    EXPECT_TRUE(source.ok()) << source.status();
    return cache_.DigestOf(**source).value_or(machine::Digest{});
  }
  // The entries of the cache.
  std::vector<std::filesystem::path> Entries() const {
    std::error_code error;
    std::filesystem::directory_iterator folder(directory_.Path("cache/digests"), error);
    return {begin(folder), end(folder)};
  }
  // What is found in place of the digest shows that nothing else has been read.
  void ReplaceEntry() const {
    std::string text = ReadBytes(Entries().at(0));
    text.replace(text.size() - 33, 32, std::string(32, '5'));
    std::ofstream(Entries().at(0), std::ios::binary) << text;
  }

  hostio::TemporaryDirectory directory_;
  const DigestCache cache_;
  const machine::Digest replaced_ = {0x5555555555555555, 0x5555555555555555};
};

// A slow host may find it old enough, but for one from the future.
TEST_F(DigestCacheTest, KeepsNothingOfAFileThatIsNew) {
  const auto source = FileSource::Open(image());
  ASSERT_TRUE(source.ok());
  const auto written = (*source)->Stamp();
  EXPECT_EQ(Ask(), machine::DigestOf(ReadBytes(image())));
  const auto entries = Entries();
  if (entries.empty()) return;
  const auto entry = FileSource::Open(entries.front());
  ASSERT_TRUE(entry.ok());
  EXPECT_GE((*entry)->Stamp()->changed - written->changed, 1'000'000'000);
}

TEST_F(DigestCacheTest, ReadsAFileOnceUntilItChanges) {
  absl::SleepFor(absl::Milliseconds(1100));
  const machine::Digest digest = machine::DigestOf(ReadBytes(image()));
  EXPECT_EQ(Ask(), digest);
  ASSERT_EQ(Entries().size(), 1u);
  ReplaceEntry();
  EXPECT_EQ(Ask(), replaced_);

  std::string bytes = ReadBytes(image());
  bytes[12345] = 'b';
  Write(bytes);
  EXPECT_EQ(Ask(), machine::DigestOf(bytes));
}

TEST_F(DigestCacheTest, DoesWithoutAnEntryThatIsNone) {
  absl::SleepFor(absl::Milliseconds(1100));
  const machine::Digest digest = Ask();
  ASSERT_EQ(Entries().size(), 1u);
  for (const char* text : {"", "isochron-digest 1\n", "nonsense"}) {
    std::ofstream(Entries().at(0), std::ios::binary) << text;
    EXPECT_EQ(Ask(), digest);
  }
}

TEST_F(DigestCacheTest, ReadsSmallFilesAndPartsEachTime) {
  absl::SleepFor(absl::Milliseconds(1100));
  const auto source = FileSource::Open(image());
  ASSERT_TRUE(source.ok());
  const auto part = (*source)->Part(0, DigestCache::kLeastBytes);
  ASSERT_TRUE(part.ok());
  EXPECT_EQ(cache_.DigestOf(**part).value(), machine::DigestOf(ReadBytes(image())));
  EXPECT_TRUE(Entries().empty());
}

// Who draws a line of progress takes it away at the end.
TEST_F(DigestCacheTest, TellsOfTheEndAlsoWhereTheFileCannotBeRead) {
  constexpr uint64_t kBytes = uint64_t{130} << 20;
  std::filesystem::resize_file(image(), kBytes);
  std::vector<uint64_t> told;
  const DigestCache cache("", [&](const FileSource&, uint64_t done) {
    told.push_back(done);
    std::filesystem::resize_file(image(), 1);
  });
  EXPECT_TRUE(absl::IsDataLoss(cache.DigestOf(**FileSource::Open(image())).status()));
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told.back(), kBytes);
}

}  // namespace
}  // namespace isochron::replaylog
