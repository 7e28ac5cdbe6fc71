#include "machine/devices/virtio/virt_queue.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "machine/devices/virtio/virtio_testing.h"

namespace isochron::machine {
namespace {

using Taken = VirtQueue::Taken;
using Given = VirtQueue::Given;
using Segments = std::vector<VirtSegment>;

constexpr uint16_t kSize = 8;
constexpr uint64_t kBase = TestRam::kWindow;

class VirtQueueTest : public testing::Test {
 protected:
  VirtQueueTest() {
    queue_.SetSize(kSize);
    queue_.SetPlace(place_);
    queue_.Enable();
  }

  // As the driver writes it; `at`: the descriptor table.
  void Describe(uint64_t index, VirtioDescriptor descriptor, uint64_t at) {
    memory_.Put(at - kBase + 16 * index, descriptor);
  }
  void Describe(uint64_t index, const VirtioDescriptor& descriptor) {
    Describe(index, descriptor, place_.descriptors);
  }
  void Offer(uint16_t head) {
    memory_.Put(place_.driver - kBase + 4 + 2u * (available_ % kSize), head);
    memory_.Put(place_.driver - kBase + 2, ++available_);
  }
  Taken Take() { return queue_.Take(memory_, rules_, chain_); }
  Given Give(uint16_t head) { return queue_.Give(memory_, rules_, head, 1); }
  uint16_t Word(uint64_t address) { return memory_.Get<uint16_t>(address - kBase); }
  void SetWord(uint64_t address, uint16_t value) { memory_.Put(address - kBase, value); }

  const VirtQueuePlace place_ = VirtQueuePlace::Legacy(kBase + 0x1000, kSize);
  TestRam memory_;
  VirtQueue queue_{64};
  VirtQueueRules rules_;
  VirtChain chain_;
  uint16_t available_ = 0;
};

constexpr uint16_t kNext = VirtioDescriptor::kNext, kWrite = VirtioDescriptor::kWrite,
                   kIndirect = VirtioDescriptor::kIndirect;

TEST_F(VirtQueueTest, LegacyQueuesAreLaidOutAsTheSpecificationSays) {
  const VirtQueuePlace place = VirtQueuePlace::Legacy(0x10000, 256);
  EXPECT_EQ(place, (VirtQueuePlace{0x10000, 0x11000, 0x12000}));
  // 16 * 8 + 6 + 2 * 8 bytes, then the next page.
  EXPECT_EQ(VirtQueuePlace::Legacy(0x10000, 8), (VirtQueuePlace{0x10000, 0x10080, 0x11000}));
}

TEST_F(VirtQueueTest, ChainsComeInTheOrderOfTheRing) {
  EXPECT_EQ(Take(), Taken::kNone);
  Describe(5, {kBase + 0x4000, 16, kNext, 2});
  Describe(2, {kBase + 0x5000, 512, kNext | kWrite, 7});
  Describe(7, {kBase + 0x6000, 1, kWrite, 9});
  Describe(0, {kBase + 0x7000, 3, 0, 0});
  Offer(5);
  Offer(0);
  ASSERT_EQ(Take(), Taken::kChain);
  EXPECT_EQ(chain_.head, 5);
  EXPECT_EQ(chain_.readable, (Segments{{kBase + 0x4000, 16}}));
  EXPECT_EQ(chain_.writable, (Segments{{kBase + 0x5000, 512}, {kBase + 0x6000, 1}}));
  EXPECT_EQ(chain_.writable_bytes(), 513u);
  ASSERT_EQ(Take(), Taken::kChain);
  EXPECT_EQ(chain_.head, 0);
  EXPECT_EQ(chain_.readable, (Segments{{kBase + 0x7000, 3}}));
  EXPECT_TRUE(chain_.writable.empty());
  EXPECT_EQ(Take(), Taken::kNone);
}

TEST_F(VirtQueueTest, RingsWrapAndIndicesWrapLater) {
  Describe(1, {kBase + 0x4000, 16, 0, 0});
  for (uint32_t i = 0; i < 0x10000 + 3; ++i) {
    Offer(1);
    ASSERT_EQ(Take(), Taken::kChain) << i;
    ASSERT_EQ(Give(1), Given::kInterrupt) << i;
  }
  EXPECT_EQ(Word(place_.device + 2), 3);
}

TEST_F(VirtQueueTest, SegmentsAreReadAndWrittenAcrossTheirEnds) {
  memory_.Put(0x4000, std::array<char, 3>{'a', 'b', 'c'});
  memory_.Put(0x5000, std::array<char, 5>{'d', 'e', 'f', 'g', 'h'});
  VirtChain chain;
  chain.readable = {{kBase + 0x4000, 3}, {kBase, 0}, {kBase + 0x5000, 5}};
  chain.writable = {{kBase + 0x6000, 2}, {kBase + 0x6002, 4}};
  std::vector<uint8_t> bytes(6);
  ASSERT_TRUE(chain.Read(memory_, 1, bytes));
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "bcdefg");
  std::vector<uint8_t> more(6);
  EXPECT_FALSE(chain.Read(memory_, 3, more)) << "there are eight";
  EXPECT_TRUE(chain.Write(memory_, 0, bytes));
  EXPECT_EQ(memory_.Get<uint32_t>(0x6002), 0x67666564u);
  EXPECT_FALSE(chain.Write(memory_, 1, bytes));
  chain.writable[1].address = kBase + TestRam::kSize - 1;
  EXPECT_FALSE(chain.Write(memory_, 0, bytes)) << "past the end of memory";
}

TEST_F(VirtQueueTest, AnIndirectTableStandsForItsChain) {
  const uint64_t table = kBase + 0x8000;
  Describe(0, {kBase + 0x4000, 16, kNext, 2}, table);
  Describe(1, {kBase + 0x6000, 1, kWrite, 0}, table);
  Describe(2, {kBase + 0x5000, 512, kNext, 1}, table);
  Describe(3, {table, 48, kIndirect, 0});
  Offer(3);
  EXPECT_EQ(Take(), Taken::kFault) << "it has not been agreed on";
  rules_.indirect = true;
  ASSERT_EQ(Take(), Taken::kChain);
  EXPECT_EQ(chain_.readable, (Segments{{kBase + 0x4000, 16}, {kBase + 0x5000, 512}}));
  EXPECT_EQ(chain_.writable, (Segments{{kBase + 0x6000, 1}}));
}

TEST_F(VirtQueueTest, IndirectTablesThatCannotBeAreFaults) {
  rules_.indirect = true;
  const uint64_t table = kBase + 0x8000;
  Describe(0, {kBase + 0x4000, 16, kNext, 1}, table);
  Describe(1, {kBase + 0x4000, 16, kNext, 0}, table);
  const VirtioDescriptor kBad[] = {
      {table, 32, kIndirect, 0},                        // a circle
      {table, 16, kIndirect, 0},                        // leads out of the table
      {table, 0, kIndirect, 0},                         // nothing
      {table, 40, kIndirect, 0},                        // half an entry
      {table, 16 * (kSize + 1), kIndirect, 0},          // longer than the queue
      {table, 0xfffffff0, kIndirect, 0},                //
      {table, 32, kIndirect | kNext, 0},                // and then?
      {kBase + TestRam::kSize - 16, 32, kIndirect, 0},  // past the end of memory
  };
  for (const VirtioDescriptor& descriptor : kBad) {
    SCOPED_TRACE(descriptor.size);
    Describe(3, descriptor);
    Offer(3);
    EXPECT_EQ(Take(), Taken::kFault);
    SetWord(place_.driver + 2, --available_);
  }
  Describe(0, {table, 16, kIndirect, 0}, table);
  Describe(3, {table, 16, kIndirect, 0});
  Offer(3);
  EXPECT_EQ(Take(), Taken::kFault) << "a table in a table";
}

TEST_F(VirtQueueTest, ChainsThatCannotBeAreFaults) {
  Describe(0, {kBase, 1, kNext, 1});
  Describe(1, {kBase, 1, kNext, 0});
  Describe(2, {kBase, 1, kNext, kSize});
  Describe(3, {kBase, 1, kNext | kWrite, 4});
  Describe(4, {kBase, 1, 0, 0});
  Describe(5, {kBase, 1, kNext, 5});
  for (const uint16_t head : {0, 1, 2, 3, 5, 8, 0xffff}) {
    Offer(head);
    memory_.transferred = 0;
    EXPECT_EQ(Take(), Taken::kFault) << head;
    EXPECT_LE(memory_.transferred, 4u + 16 * kSize) << "no more than a turn";
    SetWord(place_.driver + 2, --available_);
  }
}

TEST_F(VirtQueueTest, AnIndexThatIsFarAheadIsAFault) {
  SetWord(place_.driver + 2, kSize);
  EXPECT_EQ(Take(), Taken::kChain) << "a full ring";
  SetWord(place_.driver + 2, kSize + 2);
  EXPECT_EQ(Take(), Taken::kFault);
  SetWord(place_.driver + 2, 0);
  EXPECT_EQ(Take(), Taken::kFault) << "it went back";
}

TEST_F(VirtQueueTest, RingsOutsideMemoryAreFaults) {
  const VirtQueuePlace kBad[] = {{0, place_.driver, place_.device},
                                 {place_.descriptors, 0xffffffffffffffff, place_.device},
                                 {place_.descriptors, place_.driver, 0}};
  Describe(0, {kBase, 1, 0, 0});
  Offer(0);
  for (const VirtQueuePlace& place : kBad) {
    queue_.Reset();
    queue_.SetSize(kSize);
    queue_.SetPlace(place);
    queue_.Enable();
    const Taken taken = Take();
    EXPECT_TRUE(taken == Taken::kFault || Give(0) == Given::kFault);
  }
}

TEST_F(VirtQueueTest, AQueueThatIsOnStaysAsItIs) {
  queue_.SetSize(4);
  queue_.SetPlace({1, 2, 3});
  EXPECT_EQ(queue_.size(), kSize);
  EXPECT_EQ(queue_.place(), place_);
  Describe(0, {kBase, 1, 0, 0});
  Offer(0);
  EXPECT_EQ(Take(), Taken::kChain);
  queue_.Enable();
  EXPECT_EQ(Take(), Taken::kNone) << "it does not start anew";
}

TEST_F(VirtQueueTest, SizesThatCannotBeAreIgnored) {
  VirtQueue queue(64);
  for (const uint16_t size : {0, 3, 65, 128, 0xffff}) {
    queue.SetSize(size);
    EXPECT_EQ(queue.size(), 64) << size;
  }
  queue.SetSize(1);
  EXPECT_EQ(queue.size(), 1);
}

TEST_F(VirtQueueTest, TheDriverSaysWhetherItWantsInterrupts) {
  EXPECT_EQ(Give(3), Given::kInterrupt);
  SetWord(place_.driver, 1);
  EXPECT_EQ(Give(4), Given::kQuiet);
  EXPECT_EQ(Word(place_.device + 2), 2);
  EXPECT_EQ(memory_.Get<uint64_t>(place_.device - kBase + 12), 1ull << 32 | 4);
}

TEST_F(VirtQueueTest, WithEventIndicesBothSidesSayWhenTheyWantToKnow) {
  rules_.event_index = true;
  const uint64_t used_event = place_.driver + 4 + 2 * kSize;
  const uint64_t available_event = place_.device + 4 + 8 * kSize;
  SetWord(place_.driver, 1);  // means nothing now
  SetWord(used_event, 1);
  EXPECT_EQ(Give(0), Given::kQuiet);
  EXPECT_EQ(Give(0), Given::kInterrupt) << "the entry of index 1";
  EXPECT_EQ(Give(0), Given::kQuiet);

  Describe(0, {kBase, 1, 0, 0});
  Offer(0);
  Offer(0);
  EXPECT_EQ(Take(), Taken::kChain);
  EXPECT_EQ(Word(available_event), 0) << "it is at work";
  EXPECT_EQ(Take(), Taken::kChain);
  EXPECT_EQ(Take(), Taken::kNone);
  EXPECT_EQ(Word(available_event), 2) << "the next one is news";
}

TEST_F(VirtQueueTest, StateIsRestoredOrRefused) {
  Describe(0, {kBase, 1, 0, 0});
  Offer(0);
  Offer(0);
  EXPECT_EQ(Take(), Taken::kChain);
  const std::string state = alpha::StateBytes(queue_);
  VirtQueue other(64);
  ASSERT_TRUE(alpha::RestoreFromBytes(state, other).ok());
  EXPECT_EQ(alpha::StateBytes(other), state);
  EXPECT_EQ(other.Take(memory_, rules_, chain_), Taken::kChain);
  EXPECT_EQ(other.Take(memory_, rules_, chain_), Taken::kNone);
  VirtQueue smaller(4);
  EXPECT_FALSE(alpha::RestoreFromBytes(state, smaller).ok());
  std::string odd = state;
  odd[0] = 3;
  EXPECT_FALSE(alpha::RestoreFromBytes(odd, other).ok());
}

}  // namespace
}  // namespace isochron::machine
