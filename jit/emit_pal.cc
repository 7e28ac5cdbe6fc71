// CALL_PAL, the opcodes reserved for PALcode, and the miscellaneous instructions. What PALcode
// does often is emitted; the rest is the golden function's, which also keeps the lookaside and
// the fetch contexts in step with what it changes.

#include "alpha/call_pal.h"
#include "alpha/cost.h"
#include "alpha/ipr.h"
#include "jit/emitter.h"
#include "jit/planted_bugs.h"

namespace isochron::jit {

using alpha::Cpu;
using alpha::Ipr;
using Xbyak::Reg64;

void Emitter::EmitReserved(const Site& site) { EmitGoldenEnd(site); }

// Enters the function's code with the next PC in the shadow of its link register.
void Emitter::EmitCallPal(const Site& site) {
  const auto function = static_cast<uint32_t>(site.immediate());
  const bool privileged = alpha::IsPrivilegedCall(function);
  const bool unprivileged = alpha::IsUnprivilegedCall(function);
  // From PALmode the shadow would be one of the region's own registers.
  if (InPal() || !(privileged || unprivileged)) return EmitGoldenEnd(site);
  if (setup_.sink != nullptr) return EmitGoldenEnd(site);  // who is told at once
  if (privileged) {
    cmp(byte[InCpu(offsetof(Cpu, mode))], static_cast<int>(alpha::Mode::kKernel));
    jne(SlowPath(site));
  }
  test(dword[InCpu(offsetof(Cpu, i_ctl))], static_cast<int>(alpha::i_ctl::kShadowEnable));
  jz(SlowPath(site));
  slow_paths_.back().resumes = false;
  SaveWritten();
  mov(rax, PcOf(site.block.end()));
  const bool shadow = !Planted(Bug::kCallPalLinkUnshadowed);
  mov(qword[IntegerField(Cpu::IntegerPlace(alpha::kCallPalLink, shadow))], rax);
  const int calls = Planted(Bug::kPalCallNotCounted) ? 0 : 1;
  add(qword[InCpu(offsetof(Cpu, counters) + offsetof(alpha::CpuCounters, pal_calls))], calls);
  mov(rax, qword[InCpu(offsetof(Cpu, pal_base))]);
  or_(rax, static_cast<int>(alpha::CallPalEntry(function)));
  JumpIndirect(JumpMode::kPal);
}

// An interrupt may be deliverable outside PALmode: only the engine's loop knows, and only when
// anything is requested at all. Leaves for RAX then.
void Emitter::CheckInterrupts() {
  Label none;
  test(al, 1);
  jnz(none);
  movzx(ecx, byte[InCpu(offsetof(Cpu, irq_pins))]);
  movzx(edx, byte[InCpu(offsetof(Cpu, astrr))]);
  or_(rcx, rdx);
  or_(rcx, qword[InCpu(offsetof(Cpu, sirr))]);
  if (!Planted(Bug::kCounterInterruptMissed)) {
    or_(rcx, qword[InCpu(offsetof(Cpu, internal_requests))]);
  }
  jz(none);
  mov(byte[InTables(&setup_.tables.context.check_interrupts)], 1);
  mov(qword[InCpu(offsetof(Cpu, pc))], rax);
  xor_(eax, eax);
  jmp(qword[Low(&setup_.frame.exit)]);
  L(none);
}

void Emitter::EmitHwRet(const Site& site) {
  if (!InPal() || setup_.sink != nullptr) return EmitGoldenEnd(site);
  Move(rax, site.guest.rb);
  and_(rax, -3);
  SaveWritten();
  if (!Planted(Bug::kInterruptLate)) CheckInterrupts();
  JumpIndirect(JumpMode::kEither);
}

void Emitter::ReadField(const Site& site, size_t offset) {
  const Reg64 to = Target(site.guest.ra, rax);
  mov(to, qword[InCpu(offset)]);
  Write(site.guest.ra, to);
}

// The address of the PTE for the VA in that field, as three-level page tables have it (HRM sections
// 5.1.5 and 5.2.8). The register `control` has VPTB up to bit `control_bits`, which is extended,
// and says by `other_forms` that the tables are of another kind.
void Emitter::ReadVaForm(const Site& site, size_t va, size_t control, int control_bits,
                         uint64_t other_forms) {
  constexpr int kTableBits = 33;
  mov(rax, qword[InCpu(control)]);
  test(eax, static_cast<int>(other_forms));
  jnz(SlowPath(site));
  mov(rcx, qword[InCpu(va)]);
  shr(rax, kTableBits);
  shl(rax, kTableBits + 64 - control_bits);
  if (control_bits < 64) sar(rax, 64 - control_bits);
  shl(rcx, 64 - 43 + (Planted(Bug::kVaFormOneBitShort) ? 1 : 0));  // VA<42:13>, times 8
  shr(rcx, 64 - 43 + alpha::kPageShift);
  lea(rax, ptr[rax + rcx * 8]);
  Write(site.guest.ra, rax);
  Resume(site);
}

void Emitter::EmitHwMfpr(const Site& site) {
  if (!InPal()) return EmitGolden(site);
  switch (static_cast<Ipr>(site.immediate() >> 8 & 0xff)) {
    case Ipr::kExcAddr: return ReadField(site, offsetof(Cpu, exc_addr));
    case Ipr::kExcSum: return ReadField(site, offsetof(Cpu, exc_sum));
    case Ipr::kMmStat: return ReadField(site, offsetof(Cpu, mm_stat));
    case Ipr::kVa: return ReadField(site, offsetof(Cpu, va));
    case Ipr::kVaForm:
      return ReadVaForm(site, offsetof(Cpu, va), offsetof(Cpu, va_ctl), 64,
                        alpha::va_ctl::kVa48 | alpha::va_ctl::kVaForm32);
    case Ipr::kIvaForm:
      return ReadVaForm(site, offsetof(Cpu, iva), offsetof(Cpu, i_ctl), 48,
                        alpha::i_ctl::kVa48 | alpha::i_ctl::kVaForm32);
    default: return EmitGolden(site);
  }
}

void Emitter::WriteField(const Site& site, size_t offset) {
  mov(qword[InCpu(offset)], Read(site.guest.rb, rax));
}

void Emitter::WriteInterruptEnable(const Site& site) {
  Move(rax, site.guest.rb);
  mov(rcx, alpha::interrupt::kEnableMask);
  and_(rax, rcx);
  mov(qword[InCpu(offsetof(Cpu, ier))], rax);
}

// Also what JitEngine::RefreshFrame() and the loop derive from the mode.
void Emitter::WriteMode(const Site& site) {
  constexpr int kBits = 3 << 3;
  static_assert(ref::DataContext(1, alpha::Mode::kUser) == (1 << 5 | kBits));
  Move(rax, site.guest.rb);
  and_(eax, kBits);
  const auto write_context = [&](size_t asn, const Xbyak::Address& to) {
    movzx(ecx, byte[InCpu(asn)]);
    shl(ecx, 5);
    or_(ecx, eax);
    mov(to, rcx);
  };
  if (!Planted(Bug::kStaleDataContext)) {
    write_context(offsetof(Cpu, dtb_asn), qword[InTables(&setup_.tables.context.data_context)]);
  }
  if (Planted(Bug::kAsnNotInContext)) {
    mov(FetchContext(FetchClass::kMapped), rax);
  } else {
    write_context(offsetof(Cpu, asn), FetchContext(FetchClass::kMapped));
  }
  mov(rcx, FetchContext(FetchClass::kSuperpage));
  and_(rcx, ~(3 << kSuperpageModeShift));
  lea(rcx, ptr[rcx + rax * 2]);
  static_assert(kSuperpageModeShift == 4);
  mov(FetchContext(FetchClass::kSuperpage), rcx);
  xor_(ecx, ecx);
  shr(eax, 3);
  cmovz(rcx, qword[Low(&setup_.frame.kseg_limit)]);
  mov(qword[Low(&setup_.frame.kseg_size)], rcx);
  mov(byte[InCpu(offsetof(Cpu, mode))], al);
}

void Emitter::EmitHwMtpr(const Site& site) {
  if (!InPal()) return EmitGolden(site);
  switch (static_cast<Ipr>(site.immediate() >> 8 & 0xff)) {
    case Ipr::kCm: return WriteMode(site);
    case Ipr::kIer: return WriteInterruptEnable(site);
    case Ipr::kIerCm: WriteInterruptEnable(site); return WriteMode(site);
    case Ipr::kDtbTag0: return WriteField(site, offsetof(Cpu, dtb_tag));
    case Ipr::kItbTag: return WriteField(site, offsetof(Cpu, itb_tag));
    // What is written for the second pipe is ignored (alpha/ipr_access.cc).
    case Ipr::kDtbTag1:
    case Ipr::kDtbPte1:
    case Ipr::kDtbIs1:
    case Ipr::kDtbAsn1: return;
    case Ipr::kDtbIs0: return Planted(Bug::kDtbInvalidateSkipped) ? void() : EmitGolden(site);
    default: return EmitGolden(site);
  }
}

// RAX := the host address of a physical reference, which must be to RAM; RCX: the physical one.
void Emitter::PhysicalAddress(const Site& site, int bytes) {
  const Reg64 address =
      EffectiveAddress(site, Planted(Bug::kHwLdNotAligned) ? 0 : static_cast<uint32_t>(bytes - 1));
  if (address != rax) mov(rax, address);
  and_(rax, qword[Low(&setup_.frame.physical_mask)]);
  cmp(rax, qword[Low(&setup_.frame.memory_size)]);
  jae(SlowPath(site));
  mov(rcx, rax);
  add(rax, qword[Low(&setup_.frame.memory_base)]);
}

void Emitter::FinishHwLoad(const Site& site, int bytes) {
  const Reg64 to = Target(site.guest.ra, rax);
  if (bytes == 8) {
    mov(to, qword[rax]);
  } else {
    movsxd(to, dword[rax]);
  }
  Write(site.guest.ra, to);
  Resume(site);
}

void Emitter::LoadVpte(const Site& site) {
  const Reg64 address = EffectiveAddress(site, 7);
  LookUpTag(address, RangeOf(8, Access::kRead), Low(&setup_.frame.kernel_context), SlowPath(site));
  lea(rax, ptr[address + rcx]);
  FinishHwLoad(site, 8);
}

void Emitter::EmitHwLd(const Site& site) {
  if (!InPal()) return EmitGolden(site);
  const auto type = static_cast<alpha::HwLoadType>(site.guest.word.pal_type >> 1);
  const int bytes = (site.guest.word.pal_type & alpha::kHwQuadword) != 0 ? 8 : 4;
  const bool quadword = bytes == 8 || Planted(Bug::kVpteAlwaysQuadword);
  if (type == alpha::HwLoadType::kVirtualVpte && quadword) return LoadVpte(site);
  if (type != alpha::HwLoadType::kPhysical) return EmitGolden(site);
  PhysicalAddress(site, bytes);
  FinishHwLoad(site, bytes);
}

// Mostly PALcode clears the lock flag by one, and that is clear.
void Emitter::EmitHwStoreConditional(const Site& site) {
  cmp(byte[InCpu(offsetof(Cpu, lock_flag))], 0);
  jne(SlowPath(site));
  xor_(ecx, ecx);
  Write(site.guest.ra, rcx);
  Resume(site);
}

void Emitter::EmitHwSt(const Site& site) {
  const auto type = static_cast<alpha::HwStoreType>(site.guest.word.pal_type >> 1);
  if (!InPal()) return EmitGolden(site);
  if (type == alpha::HwStoreType::kPhysicalConditional) return EmitHwStoreConditional(site);
  if (type != alpha::HwStoreType::kPhysical) return EmitGolden(site);
  const int bytes = (site.guest.word.pal_type & alpha::kHwQuadword) != 0 ? 8 : 4;
  PhysicalAddress(site, bytes);
  shr(rcx, alpha::kPageShift);
  add(rcx, qword[Low(&setup_.frame.memory_marks)]);
  cmp(byte[rcx], alpha::Memory::kDirty);
  if (Planted(Bug::kPageNotMarkedDirty)) {
    ja(SlowPath(site));
  } else {
    Planted(Bug::kCodeStoreNotSeen) ? jb(SlowPath(site)) : jne(SlowPath(site));
  }
  const Reg64 value = Read(site.guest.ra, rdx);
  if (bytes == 8) {
    mov(qword[rax], value);
  } else {
    mov(dword[rax], value.cvt32());
  }
  Resume(site);
}

// The counter at the cycle at which the instruction starts.
void Emitter::EmitRpcc(const Site& site) {
  cmp(byte[InCpu(offsetof(Cpu, cc_enable))], 0);
  je(SlowPath(site));
  mov(rax, qword[Low(&setup_.frame.slice_end)]);
  mov(rcx, r15);
  sar(rcx, Budget::kInstructionBits);
  sub(rax, rcx);
  const int before = Planted(Bug::kRpccAtBlockStart) ? 0 : site.guest.cost_before;
  sub(rax, static_cast<int>(site.block.needed()) - before);
  sub(rax, qword[InCpu(offsetof(Cpu, cc_start))]);
  add(eax, dword[InCpu(offsetof(Cpu, cc_value))]);
  mov(ecx, dword[InCpu(offsetof(Cpu, cc_offset))]);
  shl(rcx, 32);
  or_(rax, rcx);
  Write(site.guest.ra, rax);
  Resume(site);
}

void Emitter::ReadFlag(const Site& site, bool set) {
  movzx(ecx, byte[InCpu(offsetof(Cpu, rc_flag))]);
  mov(byte[InCpu(offsetof(Cpu, rc_flag))], set ? 1 : 0);
  Write(site.guest.ra, rcx);
}

void Emitter::EmitRc(const Site& site) { ReadFlag(site, false); }
void Emitter::EmitRs(const Site& site) { ReadFlag(site, true); }

// There are no caches and memory is coherent: barriers and hints cost time and do nothing.
void Emitter::EmitTrapb(const Site&) {}
void Emitter::EmitExcb(const Site&) {}
void Emitter::EmitMb(const Site&) {}
void Emitter::EmitWmb(const Site&) {}
void Emitter::EmitFetch(const Site&) {}
void Emitter::EmitFetchM(const Site&) {}
void Emitter::EmitEcb(const Site&) {}
void Emitter::EmitWh64(const Site&) {}
void Emitter::EmitWh64en(const Site&) {}

}  // namespace isochron::jit
