#include "alpha/memory.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/lock_watch.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace isochron::alpha {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

struct Listener : MemoryListener {
  void OnCodeWritten(uint64_t pa, uint64_t size) override { written.emplace_back(pa, size); }
  void OnDirtyCleared() override { ++cleared; }
  void OnDeviceWrite(uint64_t pa, uint64_t size) override { by_device.emplace_back(pa, size); }
  void OnLocked(uint64_t pa) override { locked.push_back(pa); }
  std::vector<std::pair<uint64_t, uint64_t>> written;
  std::vector<std::pair<uint64_t, uint64_t>> by_device;
  std::vector<uint64_t> locked;
  int cleared = 0;
};

class MemoryTest : public ::testing::Test {
 protected:
  MemoryTest() : storage_(4 * kPageSize), memory_(storage_.data(), storage_.size()) {
    memory_.AddListener(listener_);
  }

  std::vector<uint8_t> storage_;
  Memory memory_;
  Listener listener_;
};

TEST_F(MemoryTest, ContainsEndsAtTheEnd) {
  const uint64_t size = 4 * kPageSize;
  EXPECT_EQ(memory_.size(), size);
  EXPECT_TRUE(memory_.Contains(size - 1));
  EXPECT_FALSE(memory_.Contains(size));
  EXPECT_TRUE(memory_.Contains(size - 8, 8));
  EXPECT_FALSE(memory_.Contains(size - 7, 8));
  EXPECT_TRUE(memory_.Contains(size, 0));
  EXPECT_FALSE(memory_.Contains(~uint64_t{0}, 2)) << "must not wrap around";
  EXPECT_FALSE(memory_.Contains(1, ~uint64_t{0}));
}

TEST_F(MemoryTest, IsLittleEndian) {
  memory_.Store<uint64_t>(8, 0x0807060504030201);
  EXPECT_EQ(memory_.Load<uint8_t>(8), 1);
  EXPECT_EQ(memory_.Load<uint16_t>(10), 0x0403);
  EXPECT_EQ(memory_.Load<uint32_t>(12), 0x08070605u);
  memory_.Store<uint8_t>(9, 0xff);
  EXPECT_EQ(memory_.Load<uint64_t>(8), 0x080706050403ff01u);
  EXPECT_EQ(storage_[8], 1);
}

TEST_F(MemoryTest, AStoreMarksItsPageDirty) {
  memory_.Store<uint8_t>(2 * kPageSize - 1, 1);
  EXPECT_FALSE(memory_.IsDirty(0));
  EXPECT_TRUE(memory_.IsDirty(kPageSize));
  EXPECT_FALSE(memory_.IsDirty(2 * kPageSize));
  EXPECT_THAT(listener_.written, IsEmpty()) << "the page is not code";
}

TEST_F(MemoryTest, OnlyADirtyPageWithoutCodeIsPlain) {
  EXPECT_FALSE(memory_.IsPlain(0));
  memory_.Store<uint8_t>(0, 1);
  EXPECT_TRUE(memory_.IsPlain(0));
  memory_.MarkCode(8);
  EXPECT_TRUE(memory_.IsCode(0));
  EXPECT_TRUE(memory_.IsDirty(0));
  EXPECT_FALSE(memory_.IsPlain(0));
  memory_.UnmarkCode(16);
  EXPECT_TRUE(memory_.IsPlain(0));
}

TEST_F(MemoryTest, AStoreToCodeIsAnnounced) {
  memory_.MarkCode(kPageSize);
  memory_.Store<uint32_t>(kPageSize + 12, 1);
  memory_.Store<uint32_t>(12, 1);
  EXPECT_THAT(listener_.written, ElementsAre(Pair(kPageSize + 12, 4)));
}

TEST_F(MemoryTest, AWriteAcrossPagesIsAnnouncedByPage) {
  for (int page = 0; page < 3; ++page) memory_.MarkCode(page * kPageSize);
  const std::vector<uint8_t> bytes(kPageSize + 10, 0x5a);
  memory_.Write(kPageSize - 4, bytes.data(), bytes.size());
  EXPECT_THAT(listener_.written, ElementsAre(Pair(kPageSize - 4, 4), Pair(kPageSize, kPageSize),
                                             Pair(2 * kPageSize, 6)));
  EXPECT_EQ(storage_[kPageSize - 5], 0);
  EXPECT_EQ(storage_[kPageSize - 4], 0x5a);
  EXPECT_EQ(storage_[2 * kPageSize + 5], 0x5a);
  EXPECT_EQ(storage_[2 * kPageSize + 6], 0);
  EXPECT_TRUE(memory_.IsDirty(0) && memory_.IsDirty(kPageSize) && memory_.IsDirty(2 * kPageSize));
  EXPECT_FALSE(memory_.IsDirty(3 * kPageSize));
}

TEST_F(MemoryTest, AnEmptyWriteDoesNothing) {
  memory_.Write(0, nullptr, 0);
  EXPECT_FALSE(memory_.IsDirty(0));
}

TEST_F(MemoryTest, ClearDirtyKeepsCodeMarks) {
  memory_.Store<uint8_t>(0, 1);
  memory_.MarkCode(0);
  memory_.ClearDirty();
  EXPECT_FALSE(memory_.IsDirty(0));
  EXPECT_TRUE(memory_.IsCode(0));
  EXPECT_EQ(listener_.cleared, 1);
}

TEST_F(MemoryTest, TellsEveryListener) {
  Listener second;
  memory_.AddListener(second);
  memory_.MarkCode(0);
  memory_.Store<uint8_t>(4, 1);
  memory_.ClearDirty();
  for (const Listener* listener : {&listener_, &second}) {
    EXPECT_THAT(listener->written, ElementsAre(Pair(4, 1)));
    EXPECT_THAT(listener->by_device, IsEmpty()) << "a CPU's store";
    EXPECT_EQ(listener->cleared, 1);
  }
  memory_.RemoveListener(second);
  const uint8_t byte = 1;
  memory_.Write(8, &byte, 1);
  EXPECT_THAT(listener_.by_device, ElementsAre(Pair(8, 1)));
  EXPECT_THAT(second.by_device, IsEmpty());
}

TEST_F(MemoryTest, ADevicesWriteToALockedBlockTakesTheLock) {
  constexpr uint64_t kBlock = 4 * Cpu::kLockBlock;
  Cpu first(0, 16, 16);
  Cpu second(1, 16, 16);
  LockWatch watch(memory_);
  watch.Add(first);
  watch.Add(second);
  const uint8_t bytes[2] = {1, 2};
  const auto locked_after = [&](Cpu& cpu, uint64_t pa, uint64_t size) {
    cpu.lock_flag = true;
    cpu.lock_address = kBlock;
    memory_.Write(pa, bytes, size);
    return cpu.lock_flag;
  };
  for (Cpu* cpu : {&first, &second}) {
    EXPECT_TRUE(locked_after(*cpu, kBlock - 1, 1));
    EXPECT_FALSE(locked_after(*cpu, kBlock - 1, 2));
    EXPECT_FALSE(locked_after(*cpu, kBlock, 1));
    EXPECT_FALSE(locked_after(*cpu, kBlock + Cpu::kLockBlock - 1, 2));
    EXPECT_TRUE(locked_after(*cpu, kBlock + Cpu::kLockBlock, 1));
  }
  EXPECT_TRUE(second.lock_flag) << "the last write was behind the block";
  memory_.Store<uint8_t>(kBlock, 1);
  EXPECT_TRUE(second.lock_flag) << "a store of a CPU is its own affair";
}

TEST_F(MemoryTest, AnotherCpusStoreTakesTheLockOfOneThatIsParked) {
  constexpr uint64_t kBlock = 4 * Cpu::kLockBlock;
  Cpu first(0, 16, 16);
  Cpu second(1, 16, 16);
  LockWatch watch(memory_);
  watch.Add(first);
  watch.Add(second);
  for (Cpu* cpu : {&first, &second}) {
    cpu->lock_flag = true;
    cpu->lock_address = kBlock;
    memory_.Store<uint8_t>(0, 1);
    EXPECT_EQ(memory_.IsPlain(0), cpu == &first);
    watch.Park(*cpu);
    EXPECT_FALSE(memory_.IsPlain(0)) << "stores must be told of";
  }
  watch.Resume(second);
  EXPECT_FALSE(memory_.IsPlain(0)) << "the other one is parked still";
  memory_.Store<uint8_t>(kBlock + Cpu::kLockBlock, 1);
  EXPECT_TRUE(first.lock_flag) << "another block";
  memory_.Store<uint8_t>(kBlock + Cpu::kLockBlock - 1, 1);
  EXPECT_FALSE(first.lock_flag);
  EXPECT_TRUE(second.lock_flag) << "its own store, for all that is known";
  EXPECT_TRUE(memory_.IsPlain(0)) << "nobody else has a lock there";
  watch.Resume(first);
  watch.Park(first);
  EXPECT_TRUE(memory_.IsPlain(0)) << "nothing is locked";
}

TEST_F(MemoryTest, TellsOfAPageThatBecomesLocked) {
  memory_.MarkLocked(kPageSize);
  memory_.MarkLocked(kPageSize + 64);
  EXPECT_THAT(listener_.locked, ElementsAre(kPageSize)) << "it was so already";
  memory_.UnmarkLocked(kPageSize);
  memory_.MarkLocked(kPageSize);
  EXPECT_THAT(listener_.locked, ElementsAre(kPageSize, kPageSize));
}

TEST_F(MemoryTest, WorksWithoutAListener) {
  memory_.RemoveAllListeners();
  memory_.MarkCode(0);
  memory_.Store<uint8_t>(0, 1);
  memory_.ClearDirty();
  EXPECT_THAT(listener_.written, IsEmpty());
}

}  // namespace
}  // namespace isochron::alpha
