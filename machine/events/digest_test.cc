#include "machine/events/digest.h"

#define XXH_INLINE_ALL
#define XXH_VECTOR 0  // the scalar code, as the format's definition has it
#include <xxhash.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "alpha/memory.h"
#include "gtest/gtest.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kPages = 16;

class MemoryDigestTest : public testing::Test {
 protected:
  uint8_t* Page(uint64_t page) { return bytes_.data() + page * alpha::kPageSize; }

  void Fill(uint64_t page) {
    memory_.WillWrite(page * alpha::kPageSize, alpha::kPageSize);
    for (uint64_t i = 0; i < alpha::kPageSize; ++i) Page(page)[i] = static_cast<uint8_t>(random_());
  }

  // From the definition: the sum of the digests of all pages that are not zero.
  Digest Expected() {
    unsigned __int128 sum = 0;
    for (uint64_t page = 0; page < kPages; ++page) {
      if (std::string(alpha::kPageSize, '\0') ==
          std::string(reinterpret_cast<const char*>(Page(page)), alpha::kPageSize)) {
        continue;
      }
      const XXH128_hash_t hash = XXH3_128bits_withSeed(Page(page), alpha::kPageSize, page);
      sum += static_cast<unsigned __int128>(hash.high64) << 64 | hash.low64;
    }
    return {static_cast<uint64_t>(sum), static_cast<uint64_t>(sum >> 64)};
  }

  std::mt19937 random_;
  std::vector<uint8_t> bytes_ = std::vector<uint8_t>(kPages * alpha::kPageSize);
  alpha::Memory memory_{bytes_.data(), bytes_.size()};
  MemoryDigest digest_{memory_};
};

TEST_F(MemoryDigestTest, IsTheSumOverPagesWhateverVectorsTheHostHas) {
  EXPECT_EQ(digest_.Update(), Digest());
  for (const uint64_t page : {0, 1, 2, 7, 15}) Fill(page);
  EXPECT_EQ(digest_.Update(), Expected());
  EXPECT_EQ(digest_.Recompute(), Expected());
}

TEST_F(MemoryDigestTest, FollowsPagesThatChangeAndBecomeZero) {
  Fill(3);
  Fill(4);
  digest_.Update();
  memory_.Store<uint8_t>(3 * alpha::kPageSize + 8191, 1);
  for (uint64_t i = 0; i < alpha::kPageSize; i += 8) {
    memory_.Store<uint64_t>(4 * alpha::kPageSize + i, 0);
  }
  EXPECT_EQ(digest_.Update(), Expected());
  EXPECT_NE(digest_.pages()[3], Digest());
  EXPECT_EQ(digest_.pages()[4], Digest());
}

TEST_F(MemoryDigestTest, TellsZeroPagesByEveryByte) {
  EXPECT_TRUE(IsZeroPage(Page(5)));
  for (uint64_t i = 0; i < alpha::kPageSize; ++i) {
    Page(5)[i] = 0x80;
    EXPECT_FALSE(IsZeroPage(Page(5))) << i;
    Page(5)[i] = 0;
  }
  std::fill(Page(5), Page(6), uint8_t{1});
  EXPECT_FALSE(IsZeroPage(Page(5)));
}

TEST(DigestTest, OfBytesIsXxh3) {
  std::string bytes;
  std::mt19937 random;
  for (int i = 0; i < 10000; ++i) bytes += static_cast<char>(random());
  for (const size_t size : {0, 1, 16, 200, 241, 10000}) {
    const XXH128_hash_t hash = XXH3_128bits(bytes.data(), size);
    EXPECT_EQ(DigestOf(std::string_view(bytes).substr(0, size)), (Digest{hash.low64, hash.high64}))
        << size;
  }
}

}  // namespace
}  // namespace isochron::machine
