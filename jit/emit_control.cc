// Branches and jumps, and the ways out of a region.

#include "jit/emitter.h"

namespace isochron::jit {

using alpha::Cpu;

bool Emitter::HasSlowPath(const Site& site) const {
  return !slow_paths_.empty() && slow_paths_.back().site.offset() == site.offset();
}

Label& Emitter::SlowPath(const Site& site) {
  if (!HasSlowPath(site)) slow_paths_.push_back({site, {}, {}, true, copies_.dirty(), {}});
  return slow_paths_.back().start;
}

void Emitter::Resume(const Site& site) {
  if (HasSlowPath(site)) L(slow_paths_.back().resume);
}

void Emitter::EmitGolden(const Site& site) {
  jmp(SlowPath(site));
  Resume(site);
}

void Emitter::EmitGoldenEnd(const Site& site) {
  jmp(SlowPath(site));
  slow_paths_.back().resumes = false;
}

Label& Emitter::ExitTo(int64_t target) {
  exits_.push_back({target, {}});
  return exits_.back().start;
}

void Emitter::EmitExit(int64_t target) {
  ExitSlot* slot = &slots_[slots_used_++];
  const bool leaves = target < 0 || target >= static_cast<int64_t>(alpha::kPageSize);
  *slot = {nullptr, leaves ? 0 : ExitSlot::kSamePage, PcOf(target)};
  unlinked_.push_back({slot, {}});
  SaveWritten();
  if (leaves) {
    const FetchClass fetch = FetchClassOf(slot->target);
    mov(rax, FetchContext(fetch));
    if (fetch == FetchClass::kMapped) {
      or_(rax, qword[InTables(&slot->key)]);
      cmp(rax, qword[InTables(&setup_.tables.context.fetches.at(slot->target).key)]);
    } else {
      cmp(rax, qword[InTables(&slot->key)]);
    }
    jne(unlinked_.back().start);
  }
  jmp(qword[InTables(&slot->code)]);
}

void Emitter::GoTo(const GuestBlock& from, int index, int64_t target) {
  if (index == GuestBlock::kNoBlock) return EmitExit(target);
  const bool follows = &region_.blocks[static_cast<size_t>(index)] == &from + 1;
  if (!follows) jmp(blocks_[static_cast<size_t>(index)]);
}

Label& Emitter::TakenLabel(const Site& site) {
  if (site.block.taken != GuestBlock::kNoBlock) {
    return blocks_[static_cast<size_t>(site.block.taken)];
  }
  return ExitTo(int64_t{site.block.end()} + site.guest.word.immediate);
}

void Emitter::NotTaken(const Site& site) { GoTo(site.block, site.block.next, site.block.end()); }

void Emitter::JumpIf(Sign sign, Label& label) {
  switch (sign) {
    case Sign::kEqual: return je(label);
    case Sign::kNotEqual: return jne(label);
    case Sign::kLess: return jl(label);
    case Sign::kLessOrEqual: return jle(label);
    case Sign::kGreater: return jg(label);
    case Sign::kGreaterOrEqual: return jge(label);
  }
}

void Emitter::BranchOnSign(const Site& site, Sign sign) {
  Label& taken = TakenLabel(site);
  const bool compared = site.guest.ra == compared_ && site.guest.ra != 31;
  if (compared && (sign == Sign::kEqual || sign == Sign::kNotEqual)) {
    const bool holds = sign == Sign::kNotEqual;
    switch (compared_as_) {
      case Condition::kEqual: holds ? je(taken) : jne(taken); break;
      case Condition::kLess: holds ? jl(taken) : jge(taken); break;
      case Condition::kLessEqual: holds ? jle(taken) : jg(taken); break;
      case Condition::kBelow: holds ? jb(taken) : jae(taken); break;
      case Condition::kBelowEqual: holds ? jbe(taken) : ja(taken); break;
    }
  } else {
    Test(site.guest.ra, false);
    JumpIf(sign, taken);
  }
  NotTaken(site);
}

void Emitter::BranchOnLowBit(const Site& site, bool set) {
  Label& taken = TakenLabel(site);
  Test(site.guest.ra, true);
  JumpIf(set ? Sign::kNotEqual : Sign::kEqual, taken);
  NotTaken(site);
}

void Emitter::EmitBlbc(const Site& site) { BranchOnLowBit(site, false); }
void Emitter::EmitBlbs(const Site& site) { BranchOnLowBit(site, true); }
void Emitter::EmitBeq(const Site& site) { BranchOnSign(site, Sign::kEqual); }
void Emitter::EmitBne(const Site& site) { BranchOnSign(site, Sign::kNotEqual); }
void Emitter::EmitBlt(const Site& site) { BranchOnSign(site, Sign::kLess); }
void Emitter::EmitBle(const Site& site) { BranchOnSign(site, Sign::kLessOrEqual); }
void Emitter::EmitBgt(const Site& site) { BranchOnSign(site, Sign::kGreater); }
void Emitter::EmitBge(const Site& site) { BranchOnSign(site, Sign::kGreaterOrEqual); }

void Emitter::EmitLink(const Site& site) {
  if (site.guest.ra == 31) return;
  const Xbyak::Reg64 to = Target(site.guest.ra, rcx);
  mov(to, PcOf(site.block.end()));
  Write(site.guest.ra, to);
}

void Emitter::EmitBr(const Site& site) {
  EmitLink(site);
  GoTo(site.block, site.block.taken, int64_t{site.block.end()} + site.guest.word.immediate);
}

void Emitter::NoteStackPointer() {
  if (setup_.sink == nullptr) return;
  Move(rdx, alpha::kStackPointer);
  mov(qword[r14], rdx);
  add(r14, sizeof(uint64_t));
}

void Emitter::EmitBsr(const Site& site) {
  EmitLink(site);
  NoteStackPointer();
  GoTo(site.block, site.block.taken, int64_t{site.block.end()} + site.guest.word.immediate);
}

void Emitter::EmitJmp(const Site& site) {
  Move(rax, site.guest.rb);
  and_(rax, -4);
  if (InPal()) or_(rax, 1);
  EmitLink(site);
  NoteStackPointer();
  SaveWritten();
  JumpIndirect(SameMode());
}

void Emitter::EmitJsr(const Site& site) { EmitJmp(site); }
void Emitter::EmitRet(const Site& site) { EmitJmp(site); }
void Emitter::EmitJsrCoroutine(const Site& site) { EmitJmp(site); }

Xbyak::Address Emitter::FetchContext(FetchClass fetch) const {
  return qword[Low(&setup_.frame.FetchContext(fetch))];
}

void Emitter::JumpThere(FetchClass fetch, Label& miss) {
  const JumpEntry* table = setup_.tables.jumps;
  if (fetch == FetchClass::kMapped) {
    mov(rdx, qword[InTables(&table->page_key) + rcx * 8]);
    mov(rdx, qword[rdx]);
    xor_(rdx, qword[InTables(&table->key) + rcx * 8]);
    cmp(rdx, FetchContext(fetch));
  } else {
    mov(rdx, FetchContext(fetch));
    cmp(rdx, qword[InTables(&table->key) + rcx * 8]);
  }
  jne(miss);
  jmp(qword[InTables(&table->code) + rcx * 8]);
}

void Emitter::JumpIndirect(JumpMode to) {
  Label miss;
  mov(ecx, eax);
  shr(ecx, CpuTables::kJumpShift);
  xor_(ecx, eax);
  and_(ecx, CpuTables::kJumpMask);
  cmp(rax, qword[InTables(&setup_.tables.jumps->pc) + rcx * 8]);
  jne(miss);
  switch (to) {
    case JumpMode::kNative: {
      // Mostly it stays in its part of the address space.
      Label other;
      const FetchClass here = FetchClassOf(place_.virtual_page);
      JumpThere(here, other);
      L(other);
      JumpThere(here == FetchClass::kMapped ? FetchClass::kSuperpage : FetchClass::kMapped, miss);
      break;
    }
    case JumpMode::kPal: JumpThere(FetchClass::kPal, miss); break;
    case JumpMode::kEither: {
      Label pal, superpage;
      test(al, 1);
      jnz(pal);
      test(rax, rax);
      js(superpage);
      Label mapped;
      L(mapped);
      JumpThere(FetchClass::kMapped, miss);
      L(superpage);
      JumpThere(FetchClass::kSuperpage, mapped);  // a kernel has mapped code, too
      L(pal);
      JumpThere(FetchClass::kPal, miss);
      break;
    }
  }
  L(miss);
  mov(qword[InCpu(offsetof(Cpu, pc))], rax);
  xor_(eax, eax);
  jmp(qword[Low(&setup_.frame.exit)]);
}

}  // namespace isochron::jit
