#include "conformance/bench/round_meter.h"

#include <cstring>

namespace isochron::conformance {
namespace {

// A bit for each byte of an aligned reference within its quadword.
uint8_t BytesOf(uint64_t pa, uint64_t size) {
  return static_cast<uint8_t>(((uint64_t{1} << size) - 1) << (pa & 7));
}

}  // namespace

RoundMeter::RoundMeter(alpha::Memory& memory)
    : memory_(memory), pages_(memory.size() >> alpha::kPageShift) {
  for (uint64_t pa = 0; pa < memory.size(); pa += alpha::kPageSize) {
    if (!memory.MayHoldData(pa)) continue;
    std::memcpy(PageOf(pa).before.data(), memory.host(pa), alpha::kPageSize);
  }
  memory_.AddListener(*this);
}

RoundMeter::Page& RoundMeter::PageOf(uint64_t pa) {
  std::unique_ptr<Page>& page = pages_[pa >> alpha::kPageShift];
  if (page == nullptr) page = std::make_unique<Page>();
  return *page;
}

void RoundMeter::BeginRound(const std::vector<const alpha::Cpu*>& cpus) {
  EndRound();
  ++round_;
  horizon_ = machine::kNever;
  for (const alpha::Cpu* cpu : cpus) beginnings_[cpu->index] = {cpu->irq_pins, cpu->lock_flag};
}

void RoundMeter::EndRound() {
  EndTurn();
  for (const uint64_t pa : written_) {
    std::memcpy(PageOf(pa).before.data() + (pa & alpha::kPageMask), memory_.host(pa), 8);
  }
  written_.clear();
}

void RoundMeter::End() {
  if (ended_) return;
  ended_ = true;
  EndRound();
  memory_.RemoveListener(*this);
}

void RoundMeter::EndTurn() {
  if (!in_turn_) return;
  in_turn_ = false;
  instructions_ += turn_.instructions;
  turns_.push_back(turn_);
}

void RoundMeter::Resume(const alpha::Cpu& cpu, uint64_t horizon) {
  if (in_turn_ && turn_.cpu == cpu.index) return;
  EndTurn();
  if (horizon_ == machine::kNever) horizon_ = horizon;
  in_turn_ = true;
  turn_ = TurnRecord();
  turn_.round = round_;
  turn_.cpu = cpu.index;
  turn_.interrupts_changed = cpu.irq_pins != beginnings_[cpu.index].pins;
  turn_.lock_lost = cpu.lock_flag != beginnings_[cpu.index].locked;
  turn_.horizon_moved = horizon < horizon_;
  first_instruction_ = cpu.instructions;
  first_cycle_ = cpu.cycle;
  fetched_ = machine::kNever;
}

void RoundMeter::Pause(const alpha::Cpu& cpu) {
  turn_.instructions = cpu.instructions - first_instruction_;
  turn_.cycles = cpu.cycle - first_cycle_;
}

void RoundMeter::Fetch(const alpha::Cpu& cpu, uint64_t pa) {
  at_ = cpu.instructions - first_instruction_;
  if (pa >> 3 == fetched_) return;
  fetched_ = pa >> 3;
  NoteRead(pa & ~uint64_t{7}, 8);
}

void RoundMeter::Read(uint64_t pa, uint64_t size) {
  ++turn_.loads;
  NoteRead(pa, size);
}

void RoundMeter::NoteRead(uint64_t pa, uint64_t size) {
  const auto others = static_cast<uint8_t>(~bit());
  Page& page = PageOf(pa);
  const uint64_t offset = pa & alpha::kPageMask;
  Use& whole = Now(page.use);
  if ((whole.readers & bit()) == 0) ++turn_.pages_read;
  whole.readers |= bit();
  Use& block = Now(page.blocks[offset / kBlock]);
  if ((block.readers & bit()) == 0) ++turn_.blocks_read;
  block.readers |= bit();
  if ((whole.writers & others) == 0) return;
  NoteFirst(turn_.stale[static_cast<size_t>(Grain::kPage)]);
  if ((block.writers & others) == 0) return;
  NoteFirst(turn_.stale[static_cast<size_t>(Grain::kBlock)]);
  const QuadwordUse& quadword = Now(page.quadwords[offset / 8]);
  uint8_t theirs = 0;
  for (size_t cpu = 0; cpu < kCpus; ++cpu) {
    if (cpu != turn_.cpu) theirs |= quadword.written[cpu];
  }
  theirs = static_cast<uint8_t>(theirs & BytesOf(pa, size) & ~quadword.written[turn_.cpu]);
  if (theirs == 0) return;
  uint64_t& stale = turn_.stale[static_cast<size_t>(Grain::kByte)];
  if (stale == machine::kNever) ++stale_blocks_[pa & ~(kBlock - 1)];
  NoteFirst(stale);
  if (HaveChanged(page, pa & ~uint64_t{7}, theirs)) {
    NoteFirst(turn_.stale[static_cast<size_t>(Grain::kValue)]);
  }
}

bool RoundMeter::HaveChanged(const Page& page, uint64_t quadword, uint8_t bytes) const {
  const uint8_t* const now = memory_.host(quadword);
  const uint8_t* const before = page.before.data() + (quadword & alpha::kPageMask);
  for (int byte = 0; byte < 8; ++byte) {
    if ((bytes >> byte & 1) != 0 && now[byte] != before[byte]) return true;
  }
  return false;
}

void RoundMeter::Write(uint64_t pa, uint64_t size) {
  ++turn_.stores;
  fetched_ = machine::kNever;
  const auto others = static_cast<uint8_t>(~bit());
  Page& page = PageOf(pa);
  const uint64_t offset = pa & alpha::kPageMask;
  Use& whole = Now(page.use);
  if ((whole.writers & bit()) == 0) ++turn_.pages_written;
  if ((whole.writers & others) != 0) NoteFirst(turn_.page_written_again);
  whole.writers |= bit();
  Use& block = Now(page.blocks[offset / kBlock]);
  if ((block.writers & bit()) == 0) ++turn_.blocks_written;
  if ((block.writers & others) != 0) NoteFirst(turn_.block_written_again);
  block.writers |= bit();
  QuadwordUse& quadword = Now(page.quadwords[offset / 8]);
  if (quadword.written == decltype(quadword.written)()) written_.push_back(pa & ~uint64_t{7});
  if (quadword.written[turn_.cpu] == 0) ++turn_.quadwords_written;
  quadword.written[turn_.cpu] |= BytesOf(pa, size);
}

void RoundMeter::Device(uint64_t pa) {
  NoteFirst(turn_.device);
  ++devices_[pa];
}

void RoundMeter::OnDeviceWrite(uint64_t pa, uint64_t size) {
  std::memcpy(PageOf(pa).before.data() + (pa & alpha::kPageMask), memory_.host(pa), size);
}

}  // namespace isochron::conformance
