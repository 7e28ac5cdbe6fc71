// Loads and stores of both register files.

#include "alpha/float_format.h"
#include "alpha/integer.h"
#include "alpha/translate.h"
#include "ref/memory_forms.h"
#include "ref/select.h"
#include "ref/superinstructions.h"

namespace isochron::ref {
namespace {

using alpha::Cpu;

// A load to R31 or F31 (HRM section 2.6): translates, so that PALcode sees its misses and
// faults and dismisses them, but reads nothing.
template <bool kFloat>
void Prefetch(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  if constexpr (kFloat) {
    if (!cpu.fp_enable) [[unlikely]]
      return RaiseFpDisabled(context, op, cpu);
  }
  uint64_t pa = 0;
  if (TranslateOrFault(context, op, cpu, EffectiveAddress(op, cpu),
                       {alpha::DataAccess::kRead, cpu.mode}, pa)) {
    return Next(context, op, cpu);
  }
}

// The physical address of an access that has just been made.
uint64_t PhysicalAddress(const Cpu& cpu, uint64_t va) {
  return alpha::TranslateData(cpu, va, alpha::DataAccess::kRead, cpu.mode).pa;
}

template <typename T, auto Convert>
void LoadLocked(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  uint64_t value = 0;
  const uint64_t va = EffectiveAddress(op, cpu);
  const AccessResult result = ReadSlowly(context, op, cpu, va, sizeof(T), value);
  if (result != AccessResult::kFault) {
    cpu.lock_flag = true;
    cpu.lock_address = PhysicalAddress(cpu, va) & ~(Cpu::kLockBlock - 1);
    cpu.r[op->ra] = Convert(static_cast<T>(value));
  }
  return Finish(context, op, cpu, result);
}

// STx_C succeeds when the lock is held on the block that it writes to. One that faults keeps
// the lock: PALcode decides.
template <typename T>
void StoreConditional(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  const uint64_t va = EffectiveAddress(op, cpu);
  const alpha::Translation translation =
      alpha::TranslateData(cpu, va, alpha::DataAccess::kWrite, cpu.mode);
  const bool writable =
      translation.status == alpha::TranslationStatus::kOk && (va & (sizeof(T) - 1)) == 0;
  if (!writable) {
    // Takes the fault whether the lock is held or not.
    return Finish(context, op, cpu, WriteSlowly(context, op, cpu, va, sizeof(T), 0));
  }
  AccessResult result = AccessResult::kDone;
  const bool success =
      cpu.lock_flag && cpu.lock_address == (translation.pa & ~(Cpu::kLockBlock - 1));
  if (success) {
    result = WriteSlowly(context, op, cpu, va, sizeof(T), static_cast<T>(cpu.r[op->ra]));
    if (result == AccessResult::kFault) return;
  }
  cpu.lock_flag = false;
  cpu.r[op->rc] = success ? 1 : 0;
  return Finish(context, op, cpu, result);
}

Handler OrPrefetch(const alpha::Instruction& instruction, Handler load) {
  return instruction.ra == 31 ? Prefetch<false> : load;
}

template <typename T, auto Convert>
Handler SelectLoad(Reuse reuse) {
  return ForReuse<Reuse::kB>(
      reuse, []<Reuse kReuse>() -> Handler { return kHandler<Load<T, Convert, kReuse>>; });
}

template <typename T>
Handler SelectStore(Reuse reuse) {
  return ForReuse<Reuse::kA, Reuse::kB>(
      reuse, []<Reuse kReuse>() -> Handler { return kHandler<Store<T, kReuse>>; });
}

Handler OrFloatPrefetch(const alpha::Instruction& instruction, Handler load) {
  return instruction.ra == 31 ? Prefetch<true> : load;
}

}  // namespace

Handler SelectLdbu(const alpha::Instruction& i, Reuse reuse) {
  return OrPrefetch(i, SelectLoad<uint8_t, ZeroExtend<uint8_t>>(reuse));
}
Handler SelectLdwu(const alpha::Instruction& i, Reuse reuse) {
  return OrPrefetch(i, SelectLoad<uint16_t, ZeroExtend<uint16_t>>(reuse));
}
Handler SelectLdl(const alpha::Instruction& i, Reuse reuse) {
  return OrPrefetch(i, SelectLoad<uint32_t, SignExtendLong>(reuse));
}
Handler SelectLdq(const alpha::Instruction& i, Reuse reuse) {
  return OrPrefetch(i, SelectLoad<uint64_t, ZeroExtend<uint64_t>>(reuse));
}
// LDQ_U to R31 is UNOP (HRM section 2.6): no access at all.
Handler SelectLdqU(const alpha::Instruction& i, Reuse reuse) {
  if (i.ra == 31) return Nothing;
  return ForReuse<Reuse::kB>(
      reuse, []<Reuse kReuse>() -> Handler { return kHandler<LoadUnaligned<kReuse>>; });
}
Handler SelectLdlL(const alpha::Instruction&, Reuse) {
  return LoadLocked<uint32_t, SignExtendLong>;
}
Handler SelectLdqL(const alpha::Instruction&, Reuse) {
  return LoadLocked<uint64_t, ZeroExtend<uint64_t>>;
}
Handler SelectStb(const alpha::Instruction&, Reuse reuse) { return SelectStore<uint8_t>(reuse); }
Handler SelectStw(const alpha::Instruction&, Reuse reuse) { return SelectStore<uint16_t>(reuse); }
Handler SelectStl(const alpha::Instruction&, Reuse reuse) { return SelectStore<uint32_t>(reuse); }
Handler SelectStq(const alpha::Instruction&, Reuse reuse) { return SelectStore<uint64_t>(reuse); }
Handler SelectStqU(const alpha::Instruction&, Reuse reuse) {
  return ForReuse<Reuse::kA, Reuse::kB>(
      reuse, []<Reuse kReuse>() -> Handler { return kHandler<StoreUnaligned<kReuse>>; });
}
Handler SelectStlC(const alpha::Instruction&, Reuse) { return StoreConditional<uint32_t>; }
Handler SelectStqC(const alpha::Instruction&, Reuse) { return StoreConditional<uint64_t>; }

Handler SelectLdf(const alpha::Instruction& i, Reuse) {
  return OrFloatPrefetch(i, kHandler<FloatLoad<uint32_t, alpha::LoadF>>);
}
Handler SelectLdg(const alpha::Instruction& i, Reuse) {
  return OrFloatPrefetch(i, kHandler<FloatLoad<uint64_t, alpha::LoadG>>);
}
Handler SelectLds(const alpha::Instruction& i, Reuse) {
  return OrFloatPrefetch(i, kHandler<FloatLoad<uint32_t, alpha::LoadS>>);
}
Handler SelectLdt(const alpha::Instruction& i, Reuse) {
  return OrFloatPrefetch(i, kHandler<FloatLoad<uint64_t, ZeroExtend<uint64_t>>>);
}
Handler SelectStf(const alpha::Instruction&, Reuse) {
  return kHandler<FloatStore<uint32_t, alpha::StoreF>>;
}
Handler SelectStg(const alpha::Instruction&, Reuse) {
  return kHandler<FloatStore<uint64_t, alpha::StoreG>>;
}
Handler SelectSts(const alpha::Instruction&, Reuse) {
  return kHandler<FloatStore<uint32_t, alpha::StoreS>>;
}
Handler SelectStt(const alpha::Instruction&, Reuse) {
  return kHandler<FloatStore<uint64_t, Truncate<uint64_t>>>;
}

}  // namespace isochron::ref
