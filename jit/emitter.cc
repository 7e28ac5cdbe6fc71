#include "jit/emitter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "alpha/cost.h"
#include "jit/planted_bugs.h"

namespace isochron::jit {

using alpha::Cpu;
using Xbyak::Reg64;

namespace {

constexpr uint32_t kMaxCost = [] {
  uint32_t most = 0;
  for (const alpha::CostRow& row : alpha::kCosts) {
    if (row.cost_class < alpha::CostClass::kPalEntry) most = std::max(most, row.cycles);
  }
  return most;
}();
static_assert(Budget::Of(int64_t{ref::kMaxBlockLength} * kMaxCost, ref::kMaxBlockLength) <=
                  std::numeric_limits<int32_t>::max(),
              "what a block takes is an immediate operand");

}  // namespace

Emitter::EmitFunction Emitter::FunctionOf(alpha::Op op) {
  static constexpr std::array<EmitFunction, alpha::kOpCount> kFunctions = {
#define ISOCHRON_INSTRUCTION(Name, ...) &Emitter::Emit##Name,
#include "alpha/instructions.inc"
      &Emitter::EmitReserved,
  };
  return kFunctions[static_cast<size_t>(op)];
}

Emitter::Emitter(const EmitterSetup& setup, const Region& region, const Translation& place,
                 uint8_t* buffer, const uint8_t* executable, ExitSlot* slots)
    : Assembler(MaxBytes(region), buffer),
      setup_(setup),
      region_(region),
      place_(place),
      map_(region, setup.sink != nullptr),
      groups_(region, InPal()),
      copies_(map_.spare()),
      executable_(executable),
      slots_(slots),
      blocks_(region.blocks.size()),
      bails_(region.blocks.size()),
      entries_(region.blocks.size()) {}

bool Emitter::Emit() {
  Xbyak::ClearError();
  for (size_t i = 0; i < region_.blocks.size(); ++i) EmitBlock(i);
  for (Exit& exit : exits_) {
    L(exit.start);
    EmitExit(exit.target);
  }
  for (size_t i = 0; i < region_.blocks.size(); ++i) {
    EmitEntry(i);
    EmitBail(i);
  }
  EmitFloatCold();
  EmitColdLookups();
  EmitColdBases();
  EmitSlowPaths();
  EmitUnlinked();
  EmitSubroutines();
  return Xbyak::GetError() == Xbyak::ERR_NONE;
}

void Emitter::EmitBlock(size_t index) {
  const GuestBlock& block = region_.blocks[index];
  L(blocks_[index]);
  Mark(CodeMark::Kind::kBlock, block.start, 0);
  sub(r15, static_cast<int>(block.budget()));
  jl(bails_[index]);
  if (setup_.sink != nullptr) NoteBlock(block);
  copies_.Reset();
  normal_floats_ = 0;
  for (uint32_t i = 0; i < block.code.size(); ++i) {
    Mark(CodeMark::Kind::kInstruction, block.start + 4 * i, block.code[i].word.word);
    EmitInstruction(Site{block.code[i], block, i});
  }
  compared_ = -1;
  if (!ref::EndsBlock(block.last().op)) GoTo(block, block.next, block.end());
  Mark(CodeMark::Kind::kEnd, block.end(), 0);
}

void Emitter::NoteBlock(const GuestBlock& block) {
  std::vector<uint32_t> words;
  for (const GuestInstruction& instruction : block.code) words.push_back(instruction.word.word);
  mov(dword[r14], setup_.sink->Number(PcOf(block.start), words));
  add(r14, sizeof(uint32_t));
}

void Emitter::EmitInstruction(const Site& site) {
  const GuestInstruction& guest = site.guest;
  const bool branch = alpha::Info(guest.word.op).format == alpha::Format::kBranch;
  if (!branch && !Planted(Bug::kFlagsOutliveCompare)) compared_ = -1;
  copies_.At(site.block, site.index);
  StoreCopies(copies_.StoresBefore((guest.reads | guest.writes) & ~map_.assigned()));
  checked_normal_ = 0;
  normal_result_ = false;
  (this->*FunctionOf(guest.word.op))(site);
  const uint32_t normal_result = normal_result_ ? guest.float_writes : 0;
  normal_floats_ = (normal_floats_ & ~guest.float_writes) | normal_result;
  if (!HasSlowPath(site)) return;
  slow_paths_.back().copies = copies_.copies();
  slow_paths_.back().normal_floats = (checked_normal_ & ~guest.float_writes) | normal_result;
}

void Emitter::ExitAt(uint32_t offset) {
  mov(rax, PcOf(offset));
  mov(qword[InCpu(offsetof(Cpu, pc))], rax);
  xor_(eax, eax);
  jmp(qword[Low(&setup_.frame.exit)]);
}

void Emitter::EmitEntry(size_t index) {
  entries_[index] = getSize();
  Label disabled;
  if (region_.uses_float) {
    cmp(byte[InCpu(offsetof(Cpu, fp_enable))], 0);
    je(disabled);
  }
  // Most of the other entries are never used.
  if (static_cast<int>(index) == region_.entry) {
    LoadAssigned();
  } else {
    call(load_);
  }
  ForgetBases(groups_.OpenAtStart(index));
  jmp(blocks_[index]);
  if (!region_.uses_float) return;
  L(disabled);
  ExitAt(region_.blocks[index].start);
}

void Emitter::EmitBail(size_t index) {
  const GuestBlock& block = region_.blocks[index];
  L(bails_[index]);
  add(r15, static_cast<int>(block.budget()));
  mov(eax, block.start);
  jmp(bail_);
}

void Emitter::EmitSlowPaths() {
  for (SlowPathSite& slow : slow_paths_) {
    const GuestBlock& block = slow.site.block;
    L(slow.start);
    if (!Planted(Bug::kDirtyNotStored)) StoreCopies(slow.dirty);
    mov(edx, static_cast<int>(block.budget_from(slow.site.index)));
    mov(ecx, slow.site.offset());
    call(golden_);
    if (!slow.resumes) {
      jmp(leave_);
      continue;
    }
    if (!Planted(Bug::kNormalAfterSlowPath)) LeaveUnlessNormal(slow.normal_floats);
    for (const BlockRegisters::Copy& copy : slow.copies) {
      if (copy.place == BlockRegisters::kNone) continue;
      mov(Host64(copy.host), qword[IntegerField(copy.place)]);
      if (Planted(Bug::kCopyNotReloaded)) xor_(Host64(copy.host), Host64(copy.host));
    }
    jmp(slow.resume);
  }
}

void Emitter::ForgetBases(uint32_t slots) {
  if (slots == 0) return;
  xor_(eax, eax);
  for (; slots != 0; slots &= slots - 1) mov(qword[BaseSlot(std::countr_zero(slots))], rax);
}

void Emitter::LeaveUnlessNormal(uint32_t places) {
  for (; places != 0; places &= places - 1) {
    Label zero;
    mov(rax, qword[FloatField(std::countr_zero(places))]);
    add(rax, rax);
    jz(zero);
    sub(rax, qword[Low(&setup_.frame.double_range.above)]);
    cmp(rax, qword[Low(&setup_.frame.double_range.span)]);
    jae(leave_);
    L(zero);
  }
}

void Emitter::EmitUnlinked() {
  for (Unlinked& exit : unlinked_) {
    L(exit.start);
    exit.slot->code = executable_ + getSize();
    mov(rax, exit.slot->target);
    mov(qword[InCpu(offsetof(Cpu, pc))], rax);
    lea(rax, ptr[InTables(exit.slot)]);
    jmp(qword[Low(&setup_.frame.exit)]);
  }
}

void Emitter::EmitSubroutines() {
  L(load_);
  LoadAssigned();
  ret();
  EmitBails();
  EmitGoldenCall();
  L(leave_);
  jmp(qword[Low(&setup_.frame.exit_synced)]);
}

// Where blocks give up for want of cycles. EAX: offset of the block.
void Emitter::EmitBails() {
  L(bail_);
  SaveWritten();
  mov(rcx, place_.virtual_page);
  or_(rax, rcx);
  mov(qword[InCpu(offsetof(Cpu, pc))], rax);
  xor_(eax, eax);
  jmp(qword[Low(&setup_.frame.exit)]);
}

// A subroutine for slow paths, which comes back when the region goes on behind the instruction at
// the offset in ECX. EDX: what to add to the budget for that before it.
void Emitter::EmitGoldenCall() {
  Label leaves;
  L(golden_);
  SaveWritten();
  lea(r8, ptr[r15 + rdx]);
  mov(rdx, reinterpret_cast<uint64_t>(&place_));
  call(qword[Low(&setup_.frame.golden)]);
  jnz(leaves);
  LoadAssigned();
  ret();
  L(leaves);
  add(rsp, sizeof(uint64_t));
  jmp(leave_);
}

void Emitter::SaveWritten() {
  for (const RegisterMap::Assignment& a : map_.integers()) {
    if (a.written) mov(qword[IntegerField(a.place)], Host64(a.host));
  }
  for (const RegisterMap::Assignment& a : map_.floats()) {
    if (a.written) movsd(qword[FloatField(a.place)], Xbyak::Xmm(a.host));
  }
}

void Emitter::LoadAssigned() {
  for (const RegisterMap::Assignment& a : map_.integers()) {
    mov(Host64(a.host), qword[IntegerField(a.place)]);
  }
  for (const RegisterMap::Assignment& a : map_.floats()) {
    movsd(Xbyak::Xmm(a.host), qword[FloatField(a.place)]);
  }
}

void Emitter::StoreCopies(const BlockRegisters::Copies& copies) {
  for (const BlockRegisters::Copy& copy : copies) {
    mov(qword[IntegerField(copy.place)], Host64(copy.host));
  }
}

void Emitter::Fetch(int place) {
  if (place == 31 || InHost(place)) return;
  const int copy = copies_.Take(place);
  if (copy == BlockRegisters::kNone) return;
  mov(Host64(copy), qword[IntegerField(place)]);
  copies_.Hold(copy, place, false);
}

Reg64 Emitter::Read(int place, const Reg64& scratch) {
  Fetch(place);
  if (InHost(place)) return HostOf(place);
  Move(scratch, place);
  return scratch;
}

void Emitter::Move(const Reg64& to, int place) {
  if (place == 31) {
    xor_(to.cvt32(), to.cvt32());
  } else if (!InHost(place)) {
    mov(to, qword[IntegerField(place)]);
  } else if (HostOf(place) != to) {
    mov(to, HostOf(place));
  }
}

Reg64 Emitter::Target(int place, const Reg64& scratch) {
  if (place == 31) return scratch;
  if (InHost(place)) return HostOf(place);
  const int copy = copies_.Take(place);
  return copy == BlockRegisters::kNone ? scratch : Host64(copy);
}

void Emitter::Write(int place, const Reg64& from) {
  if (place == 31) return;
  const int assigned = map_.integer(place);
  if (assigned != RegisterMap::kNone) {
    if (assigned != from.getIdx()) mov(Host64(assigned), from);
    return;
  }
  if (copies_.Find(place) != from.getIdx()) copies_.Drop(place);
  // Of registers that hold no place for good, only RAX, RCX and RDX are no copies.
  const bool is_copy = from.getIdx() > 2;
  // Read again, it would have to wait until memory has it.
  const int copy = is_copy ? from.getIdx() : copies_.Take(place);
  if (copy == BlockRegisters::kNone) {
    if (copies_.IsDead(place)) return;
  } else {
    if (!is_copy) mov(Host64(copy), from);
    if (copies_.Hold(copy, place, true)) return;
  }
  mov(qword[IntegerField(place)], from);
}

Reg64 Emitter::ReadB(const Site& site, const Reg64& scratch) {
  if (!site.literal()) return Read(site.guest.rb, scratch);
  MoveB(site, scratch);
  return scratch;
}

void Emitter::MoveB(const Site& site, const Reg64& to) {
  if (!site.literal()) return Move(to, site.guest.rb);
  if (site.immediate() == 0) {
    xor_(to.cvt32(), to.cvt32());
  } else {
    mov(to.cvt32(), site.immediate());
  }
}

}  // namespace isochron::jit
