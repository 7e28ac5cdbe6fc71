#include "alpha/tlb.h"

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace isochron::alpha {
namespace {

constexpr uint64_t kPage = 0x2000;

TlbEntry Entry(uint64_t tag, uint64_t base, uint8_t asn = 0, int granularity = 0,
               bool match_all = false) {
  TlbEntry entry;
  entry.tag = tag;
  entry.base = base;
  entry.permissions = 0xff00;
  entry.asn = asn;
  entry.granularity = static_cast<uint8_t>(granularity);
  entry.match_all = match_all;
  return entry;
}

TEST(TlbTest, TranslatesTheWholePageAndNoMore) {
  Tlb tlb(4);
  tlb.Insert(Entry(3 * kPage, 0x10000));
  EXPECT_EQ(tlb.Find(3 * kPage - 1, 0), nullptr);
  ASSERT_NE(tlb.Find(3 * kPage, 0), nullptr);
  ASSERT_NE(tlb.Find(4 * kPage - 1, 0), nullptr);
  EXPECT_EQ(tlb.Find(4 * kPage, 0), nullptr);
  EXPECT_EQ(tlb.Find(3 * kPage, 0)->base, 0x10000u);
}

TEST(TlbTest, GranularityHintsCoverEightTimesAsMuchEach) {
  for (int granularity = 0; granularity < 4; ++granularity) {
    Tlb tlb(4);
    const uint64_t bytes = kPage << 3 * granularity;
    // Tag and base inside the large page are cut to its start.
    tlb.Insert(Entry(5 * bytes + bytes / 2, 9 * bytes + bytes / 2, 0, granularity));
    EXPECT_EQ(tlb.Find(5 * bytes - 1, 0), nullptr);
    ASSERT_NE(tlb.Find(5 * bytes, 0), nullptr);
    ASSERT_NE(tlb.Find(6 * bytes - 1, 0), nullptr);
    EXPECT_EQ(tlb.Find(6 * bytes, 0), nullptr);
    EXPECT_EQ(tlb.Find(5 * bytes, 0)->base, 9 * bytes);
  }
}

TEST(TlbTest, AddressSpacesAreApartButForAsm) {
  Tlb tlb(4);
  tlb.Insert(Entry(kPage, 0x10000, 1));
  tlb.Insert(Entry(kPage, 0x20000, 2));
  tlb.Insert(Entry(2 * kPage, 0x30000, 1, 0, true));
  EXPECT_EQ(tlb.Find(kPage, 1)->base, 0x10000u);
  EXPECT_EQ(tlb.Find(kPage, 2)->base, 0x20000u);
  EXPECT_EQ(tlb.Find(kPage, 3), nullptr);
  EXPECT_EQ(tlb.Find(2 * kPage, 77)->base, 0x30000u);
}

TEST(TlbTest, ReplacesRoundRobin) {
  Tlb tlb(3);
  for (uint64_t page = 1; page <= 3; ++page) {
    tlb.Insert(Entry(page * kPage, page * kPage));
    EXPECT_FALSE(tlb.replaced().valid);
  }
  tlb.Insert(Entry(4 * kPage, 0));
  EXPECT_TRUE(tlb.replaced().valid);
  EXPECT_EQ(tlb.replaced().tag, kPage);
  EXPECT_EQ(tlb.Find(kPage, 0), nullptr);
  // A page that is there keeps its slot, and the hand stays.
  tlb.Insert(Entry(3 * kPage, 0x4000));
  EXPECT_EQ(tlb.replaced().tag, 3 * kPage);
  EXPECT_EQ(tlb.Find(3 * kPage, 0)->base, 0x4000u);
  tlb.Insert(Entry(5 * kPage, 0));
  EXPECT_EQ(tlb.replaced().tag, 2 * kPage);
}

TEST(TlbTest, SmallestGranularityThenLowestNumberWins) {
  Tlb tlb(8);
  const uint64_t big = kPage << 9;
  tlb.Insert(Entry(big + kPage, 0x2000, 1));    // entry 0
  tlb.Insert(Entry(big, big * 4, 2, 3, true));  // entry 1, all address spaces
  EXPECT_EQ(tlb.Find(big + kPage, 1)->base, 0x2000u);
  EXPECT_EQ(tlb.Find(big + 2 * kPage, 1)->base, big * 4);
  EXPECT_EQ(tlb.Find(big + kPage, 7)->base, big * 4);
  tlb.Insert(Entry(kPage, 0x4000, 5));           // entry 2
  tlb.Insert(Entry(kPage, 0x6000, 6, 0, true));  // entry 3
  EXPECT_EQ(tlb.Find(kPage, 5)->base, 0x4000u);
  EXPECT_EQ(tlb.Find(kPage, 4)->base, 0x6000u);
}

TEST(TlbTest, Invalidates) {
  const auto fill = [](Tlb& tlb) {
    tlb.Insert(Entry(kPage, 0x2000, 1));
    tlb.Insert(Entry(kPage, 0x4000, 2));
    tlb.Insert(Entry(2 * kPage, 0x6000, 1));
    tlb.Insert(Entry(3 * kPage, 0x8000, 1, 0, true));
  };
  Tlb single(8);
  fill(single);
  single.InvalidateSingle(kPage + 5, 1);
  EXPECT_EQ(single.Find(kPage, 1), nullptr);
  EXPECT_NE(single.Find(kPage, 2), nullptr);
  EXPECT_NE(single.Find(2 * kPage, 1), nullptr);
  single.InvalidateSingle(3 * kPage, 9);
  EXPECT_EQ(single.Find(3 * kPage, 1), nullptr) << "ASM belongs to every address space";

  Tlb process(8);
  fill(process);
  process.InvalidateProcess();
  EXPECT_EQ(process.Find(kPage, 1), nullptr);
  EXPECT_EQ(process.Find(kPage, 2), nullptr);
  EXPECT_NE(process.Find(3 * kPage, 1), nullptr);

  Tlb all(8);
  fill(all);
  all.InvalidateAll();
  EXPECT_EQ(all.Find(3 * kPage, 1), nullptr);
}

// Invalidating looks only at what may be there: the entries that go must be the same as all that
// do.
TEST(TlbTest, InvalidatesAroundTheEndToo) {
  uint64_t random = 1;
  Tlb tlb(16);
  for (int round = 0; round < 2000; ++round) {
    random = random * 6364136223846793005 + 1442695040888963407;
    const uint64_t page = random >> 40 & 31;
    const bool match_all = (random >> 50 & 3) == 0;
    switch (random >> 60) {
      case 0: tlb.InvalidateAll(); break;
      case 1:
      case 2: tlb.InvalidateProcess(); break;
      case 3: tlb.InvalidateSingle(page * kPage, 1); break;
      default: tlb.Insert(Entry(page * kPage, page * kPage, 1, 0, match_all)); break;
    }
    for (uint32_t i = 0; i < tlb.size(); ++i) {
      const TlbEntry& entry = tlb.entry(i);
      const bool gone = random >> 60 == 0 || (random >> 60 <= 2 && !entry.match_all);
      if (gone) {
        ASSERT_FALSE(entry.valid) << round;
      } else if (entry.valid) {
        ASSERT_NE(tlb.Find(entry.tag, 1), nullptr) << round;
      }
    }
  }
}

TEST(TlbTest, InvalidateSingleForgetsEveryMatch) {
  Tlb tlb(8);
  tlb.Insert(Entry(kPage, 0x2000, 1));
  tlb.Insert(Entry(kPage, 0x4000, 2, 0, true));  // matches in 1 as well
  tlb.InvalidateSingle(kPage, 1);
  EXPECT_EQ(tlb.Find(kPage, 1), nullptr);
  EXPECT_EQ(tlb.Find(kPage, 2), nullptr);
}

TEST(TlbTest, PermissionsByMode) {
  TlbEntry entry;
  for (int mode = 0; mode < 4; ++mode) {
    for (int bit = 0; bit < 16; ++bit) {
      entry.permissions = static_cast<uint16_t>(1u << bit);
      EXPECT_EQ(entry.CanRead(static_cast<Mode>(mode)), bit == 8 + mode);
      EXPECT_EQ(entry.CanWrite(static_cast<Mode>(mode)), bit == 12 + mode);
    }
  }
}

// The same rules as a linear search over an array.
class ModelTlb {
 public:
  explicit ModelTlb(uint32_t size) : entries_(size) {}

  std::optional<uint32_t> Find(uint64_t va, uint8_t asn) const {
    for (int granularity = 0; granularity < 4; ++granularity) {
      for (uint32_t i = 0; i < entries_.size(); ++i) {
        const TlbEntry& e = entries_[i];
        const int shift = 13 + 3 * granularity;
        if (e.valid && e.granularity == granularity && e.tag >> shift == va >> shift &&
            (e.match_all || e.asn == asn)) {
          return i;
        }
      }
    }
    return std::nullopt;
  }
  void Insert(TlbEntry entry) {
    uint32_t slot = hand_;
    if (const auto found = Find(entry.tag, entry.asn)) {
      slot = *found;
    } else {
      hand_ = (hand_ + 1) % entries_.size();
    }
    entry.valid = true;
    entries_[slot] = entry;
  }
  void InvalidateIf(auto condition) {
    for (TlbEntry& e : entries_) {
      if (condition(e)) e.valid = false;
    }
  }
  void InvalidateSingle(uint64_t va, uint8_t asn) {
    while (const auto found = Find(va, asn)) entries_[*found].valid = false;
  }
  const TlbEntry& entry(uint32_t i) const { return entries_[i]; }

 private:
  std::vector<TlbEntry> entries_;
  uint32_t hand_ = 0;
};

TEST(TlbTest, AgreesWithALinearSearch) {
  for (const uint32_t size : {1u, 3u, 16u, 128u}) {
    std::mt19937_64 random(size);
    Tlb tlb(size);
    ModelTlb model(size);
    const auto any_va = [&] { return random() % 64 * kPage * (random() % 3 ? 1 : 64); };
    for (int step = 0; step < 20'000; ++step) {
      const auto asn = static_cast<uint8_t>(random() % 3);
      const uint64_t va = any_va();
      switch (random() % 40) {
        case 0: tlb.InvalidateSingle(va, asn), model.InvalidateSingle(va, asn); break;
        case 1:
          if (random() % 20 == 0) {
            tlb.InvalidateAll();
            model.InvalidateIf([](const TlbEntry&) { return true; });
          }
          break;
        case 2:
          if (random() % 10 == 0) {
            tlb.InvalidateProcess();
            model.InvalidateIf([](const TlbEntry& e) { return !e.match_all; });
          }
          break;
        default: {
          const TlbEntry entry = Entry(va, random() % 512 * kPage, asn,
                                       random() % 4 ? 0 : random() % 4, random() % 8 == 0);
          tlb.Insert(entry);
          model.Insert(entry);
          break;
        }
      }
      const uint64_t probe = any_va() + random() % kPage;
      const auto probe_asn = static_cast<uint8_t>(random() % 3);
      const TlbEntry* found = tlb.Find(probe, probe_asn);
      const auto expected = model.Find(probe, probe_asn);
      ASSERT_EQ(found != nullptr, expected.has_value()) << "step " << step;
      if (found == nullptr) continue;
      ASSERT_EQ(found, &tlb.entry(*expected)) << "step " << step;
      ASSERT_EQ(found->base, model.entry(*expected).base & ~found->offset_mask());
    }
  }
}

TEST(TlbTest, RestoresItsStateAndTheHand) {
  Tlb tlb(4);
  for (uint64_t page = 1; page <= 6; ++page) tlb.Insert(Entry(page * kPage, page * kPage));
  Tlb copy(4);
  copy.Insert(Entry(99 * kPage, 0));
  ASSERT_TRUE(RestoreFromBytes(StateBytes(tlb), copy).ok());
  EXPECT_EQ(copy.Find(99 * kPage, 0), nullptr);
  for (uint64_t page = 3; page <= 6; ++page) EXPECT_NE(copy.Find(page * kPage, 0), nullptr);
  copy.Insert(Entry(7 * kPage, 0));
  EXPECT_EQ(copy.Find(3 * kPage, 0), nullptr) << "the oldest goes first";
}

TEST(TlbTest, ImpossibleStateIsRefused) {
  Tlb tlb(2);
  tlb.Insert(Entry(kPage, kPage));
  const std::string sound = StateBytes(tlb);
  std::string bytes = sound;
  const size_t granularity = 8 + 8 + 2 + 1;  // tag, base, permissions, asn
  ASSERT_EQ(bytes[granularity], 0);
  bytes[granularity] = 4;
  EXPECT_FALSE(RestoreFromBytes(bytes, tlb).ok());
  EXPECT_EQ(tlb.Find(kPage * 5, 0), nullptr) << "still usable";

  // Translations that would make an aligned address one that is not, or lead out of the 44 bits.
  const size_t base = 8;
  for (size_t at : {size_t{0}, base, base + 1, base + 5}) {
    bytes = sound;
    bytes[at] ^= 0x10;
    EXPECT_FALSE(RestoreFromBytes(bytes, tlb).ok()) << at;
    EXPECT_EQ(tlb.Find(kPage, 0), nullptr) << at;
  }

  bytes = sound;
  bytes[bytes.size() - 4] = 2;  // the hand, past the end
  EXPECT_FALSE(RestoreFromBytes(bytes, tlb).ok());
  tlb.Insert(Entry(kPage, kPage));
}

}  // namespace
}  // namespace isochron::alpha
