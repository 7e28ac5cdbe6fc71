#include "conformance/bench/round_meter.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/memory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "machine/bus/event_queue.h"

namespace isochron::conformance {
namespace {

using machine::kNever;
using ::testing::ElementsAre;
using ::testing::Pair;

constexpr uint64_t kWord = 0x4000;  // in a page and a block that begin there
constexpr uint64_t kHorizon = 1000;

// Two CPUs that read and write as a test has them; an instruction each time.
class Meter : public ::testing::Test {
 protected:
  Meter() { BeginRound(); }

  void BeginRound() { meter_.BeginRound({cpus_.data(), &cpus_[1]}); }
  void Take(int cpu, uint64_t horizon = kHorizon) {
    running_ = &cpus_[cpu];
    meter_.Resume(*running_, horizon);
  }
  void Load(uint64_t pa, uint64_t size = 8) {
    Step();
    meter_.Read(pa, size);
  }
  void Store(uint64_t pa, uint64_t value, uint64_t size = 8) {
    Step();
    memory_.WillWrite(pa, size);
    std::memcpy(memory_.host(pa), &value, size);
    meter_.Write(pa, size);
  }
  // The instruction that is executed, in a page of its own for each CPU.
  void Step() {
    meter_.Fetch(*running_, 0xa000 + running_->index * alpha::kPageSize);
    ++running_->instructions;
    running_->cycle += 3;
    meter_.Pause(*running_);
  }
  TurnRecord Last() {
    meter_.End();
    return meter_.turns().back();
  }

  std::vector<uint8_t> host_ = std::vector<uint8_t>(16 * alpha::kPageSize);
  alpha::Memory memory_{host_.data(), host_.size()};
  std::array<alpha::Cpu, 2> cpus_ = {alpha::Cpu(0, 16, 16), alpha::Cpu(1, 16, 16)};
  alpha::Cpu* running_ = nullptr;
  RoundMeter meter_{memory_};
};

TEST_F(Meter, CountsWhatATurnReadsAndWrites) {
  Take(1);
  Load(kWord);
  Load(kWord + 4, 4);
  Load(kWord + 64);
  Store(kWord + 8, 1);
  Store(kWord + 12, 1, 4);
  Store(kWord + 0x2000, 1, 1);
  const TurnRecord turn = Last();
  EXPECT_EQ(turn.cpu, 1u);
  EXPECT_EQ(turn.instructions, 6u);
  EXPECT_EQ(turn.cycles, 18u);
  EXPECT_EQ(turn.loads, 3u);
  EXPECT_EQ(turn.stores, 3u);
  EXPECT_EQ(turn.pages_read, 2u) << "one of them of instructions";
  EXPECT_EQ(turn.blocks_read, 3u);
  EXPECT_EQ(turn.pages_written, 2u);
  EXPECT_EQ(turn.blocks_written, 2u);
  EXPECT_EQ(turn.quadwords_written, 2u);
  EXPECT_THAT(turn.stale, ElementsAre(kNever, kNever, kNever, kNever));
  EXPECT_EQ(turn.device, kNever);
  EXPECT_EQ(meter_.instructions(), 6u);
}

TEST_F(Meter, AReadOfWhatATurnBeforeHasWrittenIsStaleFromThereOn) {
  Take(0);
  Store(kWord, 0x0101);
  Take(1);
  Load(kWord + 0x100);
  Load(kWord + 8);
  Load(kWord + 4, 4);
  Load(kWord, 1);
  EXPECT_THAT(Last().stale, ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(meter_.stale_blocks(), ElementsAre(Pair(kWord, 1)));
}

TEST_F(Meter, WhatComesBackToWhatItWasIsNotStaleByValue) {
  Take(0);
  Store(kWord, 1);
  Store(kWord, 0);
  Take(1);
  Load(kWord);
  EXPECT_THAT(Last().stale, ElementsAre(0, 0, 0, kNever));
}

TEST_F(Meter, WhatATurnHasWrittenItselfIsNotStale) {
  Take(0);
  Store(kWord, 1);
  Take(1);
  Store(kWord, 2, 4);
  Load(kWord, 4);
  const TurnRecord turn = Last();
  EXPECT_THAT(turn.stale, ElementsAre(1, 1, kNever, kNever));
  EXPECT_EQ(turn.page_written_again, 0u);
  EXPECT_EQ(turn.block_written_again, 0u);
}

TEST_F(Meter, ATurnHasNothingToDoWithOneBehindItOrOfAnotherRound) {
  Take(0);
  Load(kWord);
  Take(1);
  Store(kWord, 1);
  EXPECT_THAT(meter_.turns().back().stale, ElementsAre(kNever, kNever, kNever, kNever));
  BeginRound();
  Take(0);
  Load(kWord);
  Store(kWord, 0);
  const TurnRecord turn = Last();
  EXPECT_EQ(turn.round, 2u);
  EXPECT_THAT(turn.stale, ElementsAre(kNever, kNever, kNever, kNever));
  EXPECT_EQ(turn.page_written_again, kNever);
}

TEST_F(Meter, ARoundBeginsWithWhatTheOneBeforeAndDevicesHaveWritten) {
  Take(0);
  Store(kWord, 5);
  BeginRound();
  const uint64_t nine = 9;
  memory_.Write(kWord + 8, &nine, 8);
  Take(0);
  Store(kWord, 5);
  Store(kWord + 8, 9);
  Take(1);
  Load(kWord);
  Load(kWord + 8);
  EXPECT_THAT(Last().stale, ElementsAre(0, 0, 0, kNever));
}

TEST_F(Meter, InstructionsThatATurnBeforeHasWrittenAreStale) {
  Take(0);
  Store(0xa000 + alpha::kPageSize, 1);
  Take(1);
  Load(kWord);
  EXPECT_THAT(Last().stale, ElementsAre(0, 0, 0, 0));
}

TEST_F(Meter, SaysWhatElseATurnBeforeHasChanged) {
  cpus_[1].lock_flag = true;
  BeginRound();
  Take(0);
  Store(kWord, 1);
  meter_.Device(0x801'a000'0080);
  cpus_[1].lock_flag = false;
  cpus_[1].irq_pins = 4;
  Take(1, kHorizon - 1);
  Load(kWord + 0x2000);
  const TurnRecord turn = Last();
  EXPECT_TRUE(turn.lock_lost);
  EXPECT_TRUE(turn.interrupts_changed);
  EXPECT_TRUE(turn.horizon_moved);
  const TurnRecord& first = meter_.turns().front();
  EXPECT_FALSE(first.lock_lost || first.interrupts_changed || first.horizon_moved);
  EXPECT_EQ(first.device, 0u);
  EXPECT_EQ(meter_.devices().at(0x801'a000'0080), 1u);
}

}  // namespace
}  // namespace isochron::conformance
