// CALL_PAL, the opcodes reserved for PALcode, and the miscellaneous instructions.

#include <optional>

#include "alpha/cost.h"
#include "alpha/integer.h"
#include "alpha/ipr_access.h"
#include "alpha/translate.h"
#include "ref/context.h"
#include "ref/select.h"

namespace isochron::ref {

using alpha::Cpu;

void Nothing(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  return Next(context, op, cpu);
}

namespace {

void Reserved(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  return RaiseOpcdec(context, op, cpu);
}

// The reserved opcodes work in PALmode and, with I_CTL<HWE>, in kernel mode (HRM section 6.4).
bool PalOpcodesAllowed(const Cpu& cpu) {
  return cpu.pal_mode() ||
         ((cpu.i_ctl & alpha::i_ctl::kHwe) != 0 && cpu.mode == alpha::Mode::kKernel);
}

void CallPal(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  LeaveBefore(context, op, cpu);
  if (alpha::EnterCallPal(cpu, static_cast<uint32_t>(op->immediate))) {
    cpu.cycle += alpha::InstructionCost(alpha::CostClass::kCallPal);
    ++cpu.instructions;
  }
}

// Makes the CPU's counts exact at `op`, as registers show them, for as long as it lives.
class ExactCounts {
 public:
  ExactCounts(const Context& context, const Operation* op, Cpu& cpu)
      : cpu_(cpu), cycle_(cpu.cycle), instructions_(cpu.instructions) {
    cpu.cycle = CycleAt(context, op, cpu);
    cpu.instructions += IndexOf(context, op);
  }
  ~ExactCounts() {
    cpu_.cycle = cycle_;
    cpu_.instructions = instructions_;
  }

 private:
  Cpu& cpu_;
  uint64_t cycle_;
  uint64_t instructions_;
};

// Apart from the handlers, which end in the call of the next one.
uint64_t ReadIprAt(const Context& context, const Operation* op, Cpu& cpu, uint8_t number) {
  const ExactCounts exact(context, op, cpu);
  return alpha::ReadIpr(cpu, number);
}

alpha::IprEffect WriteIprAt(const Context& context, const Operation* op, Cpu& cpu, uint8_t number,
                            uint64_t value) {
  const ExactCounts exact(context, op, cpu);
  return alpha::WriteIpr(cpu, number, value);
}

void HwMfpr(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  if (!PalOpcodesAllowed(cpu)) [[unlikely]]
    return RaiseOpcdec(context, op, cpu);
  cpu.r[op->ra] = ReadIprAt(context, op, cpu, static_cast<uint8_t>(op->immediate >> 8));
  return Next(context, op, cpu);
}

// Keeps a lookaside a subset of what `tlb` says, which has a new entry at `tag`, of that PTE.
template <typename Lookaside>
void OnInserted(const alpha::Tlb& tlb, uint64_t tag, uint64_t pte, Lookaside& lookaside) {
  const alpha::TlbEntry& replaced = tlb.replaced();
  const bool large =
      (pte >> alpha::pte::kGhShift & 3) != 0 || (replaced.valid && replaced.granularity != 0);
  if (large) return lookaside.Flush();
  if (replaced.valid) lookaside.FlushPage(replaced.tag);
  lookaside.FlushPage(tag);
}

// The same for one whose entries for `va` are gone.
template <typename Lookaside>
void OnInvalidated(const alpha::Tlb& tlb, uint64_t va, Lookaside& lookaside) {
  return tlb.only_small() ? lookaside.FlushPage(va) : lookaside.Flush();
}

// Brings what is derived from the CPU up to date. What the ITB says is nothing to the code that
// runs: that is in PALmode, or HwMtpr() leaves it.
void ApplyEffect(Context& context, const Cpu& cpu, alpha::IprEffect effect, uint64_t value) {
  switch (effect) {
    case alpha::IprEffect::kNone:
    case alpha::IprEffect::kIcFlush: break;
    case alpha::IprEffect::kDtbInsert:
      OnInserted(cpu.dtb, cpu.dtb_tag, value, context.lookaside);
      break;
    case alpha::IprEffect::kDtbSingle: OnInvalidated(cpu.dtb, value, context.lookaside); break;
    case alpha::IprEffect::kDtb: context.lookaside.Flush(); break;
    case alpha::IprEffect::kItbInsert:
      OnInserted(cpu.itb, cpu.itb_tag, value, context.fetches);
      break;
    case alpha::IprEffect::kItbSingle: OnInvalidated(cpu.itb, value, context.fetches); break;
    case alpha::IprEffect::kItb: context.fetches.Flush(); break;
    case alpha::IprEffect::kCounters:
    case alpha::IprEffect::kContext:
      context.data_context = DataContext(cpu.dtb_asn, cpu.mode);
      break;
  }
}

// Registers that change what every data translation means.
bool ChangesTranslation(uint8_t number) {
  switch (static_cast<alpha::Ipr>(number)) {
    case alpha::Ipr::kMCtl:
    case alpha::Ipr::kVaCtl: return true;
    default: return false;
  }
}

void HwMtpr(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  if (!PalOpcodesAllowed(cpu)) [[unlikely]]
    return RaiseOpcdec(context, op, cpu);
  const auto number = static_cast<uint8_t>(op->immediate >> 8);
  const uint64_t value = cpu.r[op->rb];
  const alpha::IprEffect effect = WriteIprAt(context, op, cpu, number, value);
  ApplyEffect(context, cpu, effect, value);
  if (ChangesTranslation(number)) context.lookaside.Flush();
  // What follows may be decoded differently (shadow registers), fetched from elsewhere or
  // interrupted.
  const bool changes_fetch = number == static_cast<uint8_t>(alpha::Ipr::kICtl);
  if (changes_fetch || !cpu.pal_mode()) {
    context.fetch_changed = true;
    context.check_interrupts = true;
    return LeaveAfter(context, op, cpu);
  }
  if (effect == alpha::IprEffect::kCounters) {
    context.check_interrupts = true;  // the loop asks when the next overflow can be
    return LeaveAfter(context, op, cpu);
  }
  return Next(context, op, cpu);
}

void HwRet(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  if (!PalOpcodesAllowed(cpu)) [[unlikely]]
    return RaiseOpcdec(context, op, cpu);
  const uint64_t target = cpu.r[op->rb] & ~uint64_t{2};
  LeaveAfter(context, op, cpu);
  cpu.pc = target;
  context.check_interrupts = true;
}

// How an HW_LD of a virtual type refers to memory.
Reference DescribeLoad(const Cpu& cpu, alpha::HwLoadType type) {
  using alpha::DataAccess;
  switch (type) {
    case alpha::HwLoadType::kVirtualVpte: return {DataAccess::kRead, alpha::Mode::kKernel, true};
    case alpha::HwLoadType::kVirtualWriteCheck: return {DataAccess::kReadWriteCheck, cpu.mode};
    case alpha::HwLoadType::kVirtualAlt: return {DataAccess::kRead, cpu.alt_mode};
    case alpha::HwLoadType::kVirtualWriteCheckAlt:
      return {DataAccess::kReadWriteCheck, cpu.alt_mode};
    default: return {DataAccess::kRead, cpu.mode};
  }
}

// TellOfReference() for HW_LD and HW_ST, apart from the handlers, which end in the call of the next
// one. `va`: of the types that translate.
[[gnu::noinline]] AccessResult TellOf(Context& context, const Operation* op, const Cpu& cpu,
                                      std::optional<uint64_t> va, uint64_t pa, bool write,
                                      AccessResult result) {
  const uint64_t size = (op->detail & alpha::kHwQuadword) != 0 ? 8 : 4;
  return TellOfReference(context, op, cpu, {va, pa, size, write, {}}, result);
}

std::optional<uint64_t> Translated(bool physical, uint64_t address) {
  return physical ? std::nullopt : std::optional(address);
}

void HwLd(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  if (!PalOpcodesAllowed(cpu)) [[unlikely]]
    return RaiseOpcdec(context, op, cpu);
  const auto type = static_cast<alpha::HwLoadType>(op->detail >> 1);
  const int size = (op->detail & alpha::kHwQuadword) != 0 ? 8 : 4;
  // HW_LD never traps on alignment (HRM section 6.4.1): low bits are ignored.
  const uint64_t address = EffectiveAddress(op, cpu) & ~static_cast<uint64_t>(size - 1);
  uint64_t pa = address & alpha::kPhysicalMask;
  const bool physical =
      type == alpha::HwLoadType::kPhysical || type == alpha::HwLoadType::kPhysicalLock;
  if (!physical && !TranslateOrFault(context, op, cpu, address, DescribeLoad(cpu, type), pa)) {
    return;
  }
  if (type == alpha::HwLoadType::kVirtualVpte) {
    // Page tables are read again and again.
    Remember(context, address, pa, DataContext(cpu.dtb_asn, alpha::Mode::kKernel), false);
  }
  uint64_t value = 0;
  AccessResult result = ReadPhysical(context, op, cpu, pa, size, value);
  if (context.ranges != nullptr) [[unlikely]]
    result = TellOf(context, op, cpu, Translated(physical, address), pa, false, result);
  if (result == AccessResult::kFault) return;
  if (type == alpha::HwLoadType::kPhysicalLock) {
    cpu.lock_flag = true;
    cpu.lock_address = pa & ~(Cpu::kLockBlock - 1);
  }
  cpu.r[op->ra] = size == 8 ? value : alpha::SignExtendLongword(value);
  return Finish(context, op, cpu, result);
}

void HwSt(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  if (!PalOpcodesAllowed(cpu)) [[unlikely]]
    return RaiseOpcdec(context, op, cpu);
  const auto type = static_cast<alpha::HwStoreType>(op->detail >> 1);
  const int size = (op->detail & alpha::kHwQuadword) != 0 ? 8 : 4;
  const uint64_t address = EffectiveAddress(op, cpu) & ~static_cast<uint64_t>(size - 1);
  uint64_t pa = address & alpha::kPhysicalMask;
  const bool physical =
      type == alpha::HwStoreType::kPhysical || type == alpha::HwStoreType::kPhysicalConditional;
  if (!physical) {
    const bool alternate = type == alpha::HwStoreType::kVirtualAlt;
    const Reference reference{alpha::DataAccess::kWrite, alternate ? cpu.alt_mode : cpu.mode};
    if (!TranslateOrFault(context, op, cpu, address, reference, pa)) return;
  }
  AccessResult result = AccessResult::kDone;
  const bool conditional = type == alpha::HwStoreType::kPhysicalConditional;
  const bool locked = cpu.lock_flag && cpu.lock_address == (pa & ~(Cpu::kLockBlock - 1));
  if (!conditional || locked) {
    result = WritePhysical(context, op, cpu, pa, size, cpu.r[op->ra]);
    if (context.ranges != nullptr) [[unlikely]]
      result = TellOf(context, op, cpu, Translated(physical, address), pa, true, result);
    if (result == AccessResult::kFault) return;
  }
  if (conditional) {
    cpu.lock_flag = false;
    cpu.r[op->rc] = locked ? 1 : 0;
  }
  return Finish(context, op, cpu, result);
}

void Rpcc(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  const uint64_t start = cpu.cycle;
  cpu.cycle = CycleAt(context, op, cpu);
  cpu.r[op->ra] = cpu.CycleCounter();
  cpu.cycle = start;
  return Next(context, op, cpu);
}

// RC and RS: Ra := flag, then the flag is cleared or set.
template <bool kSet>
void ReadFlag(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  cpu.r[op->ra] = cpu.rc_flag ? 1 : 0;
  cpu.rc_flag = kSet;
  return Next(context, op, cpu);
}

}  // namespace

Handler SelectReserved(const alpha::Instruction&, Reuse) { return Reserved; }
Handler SelectCallPal(const alpha::Instruction&, Reuse) { return CallPal; }
Handler SelectHwMfpr(const alpha::Instruction&, Reuse) { return HwMfpr; }
Handler SelectHwMtpr(const alpha::Instruction&, Reuse) { return HwMtpr; }
Handler SelectHwLd(const alpha::Instruction&, Reuse) { return HwLd; }
Handler SelectHwSt(const alpha::Instruction&, Reuse) { return HwSt; }
Handler SelectHwRet(const alpha::Instruction&, Reuse) { return HwRet; }

Handler SelectRpcc(const alpha::Instruction&, Reuse) { return Rpcc; }
Handler SelectRc(const alpha::Instruction&, Reuse) { return ReadFlag<false>; }
Handler SelectRs(const alpha::Instruction&, Reuse) { return ReadFlag<true>; }

// There are no caches and memory is coherent: barriers and hints cost time and do nothing.
Handler SelectTrapb(const alpha::Instruction&, Reuse) { return Nothing; }
Handler SelectExcb(const alpha::Instruction&, Reuse) { return Nothing; }
Handler SelectMb(const alpha::Instruction&, Reuse) { return Nothing; }
Handler SelectWmb(const alpha::Instruction&, Reuse) { return Nothing; }
Handler SelectFetch(const alpha::Instruction&, Reuse) { return Nothing; }
Handler SelectFetchM(const alpha::Instruction&, Reuse) { return Nothing; }
Handler SelectEcb(const alpha::Instruction&, Reuse) { return Nothing; }
Handler SelectWh64(const alpha::Instruction&, Reuse) { return Nothing; }
Handler SelectWh64en(const alpha::Instruction&, Reuse) { return Nothing; }

}  // namespace isochron::ref
