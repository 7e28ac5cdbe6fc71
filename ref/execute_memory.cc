// Loads and stores of both register files.

#include <cstring>

#include "alpha/float_format.h"
#include "alpha/integer.h"
#include "alpha/translate.h"
#include "ref/context.h"
#include "ref/select.h"

namespace isochron::ref {
namespace {

using alpha::Cpu;

template <Reuse kReuse = Reuse::kNothing>
uint64_t EffectiveAddress(const Operation* op, const Cpu& cpu, uint64_t last = 0) {
  return OperandB<kReuse>(op, cpu, last) + static_cast<int64_t>(op->immediate);
}

// Conversions between memory and register format.
template <typename T>
constexpr uint64_t ZeroExtend(T value) {
  return value;
}
constexpr uint64_t SignExtendLong(uint32_t value) { return alpha::SignExtendLongword(value); }
template <typename T>
constexpr T Truncate(uint64_t value) {
  return static_cast<T>(value);
}

// Every load and store is two functions: the common case, which needs no stack frame, and the
// case that the lookaside does not answer.

template <typename T, auto Convert>
[[gnu::noinline]] void FinishLoad(Context& context, const Operation* op, Cpu& cpu, uint64_t va,
                                  uint64_t& target) {
  uint64_t value = 0;
  const AccessResult result = ReadSlowly(context, op, cpu, va, sizeof(T), value);
  if (result != AccessResult::kFault) target = Convert(static_cast<T>(value));
  return Finish(context, op, cpu, result, target);
}

// Reads the T at `va` into `target`, a register.
template <typename T, auto Convert>
void LoadTo(Context& context, const Operation* op, Cpu& cpu, uint64_t va, uint64_t& target) {
  const uint8_t* host = nullptr;
  if (!context.lookaside.FindRead<sizeof(T)>(va, context.data_context, host)) [[unlikely]] {
    return FinishLoad<T, Convert>(context, op, cpu, va, target);
  }
  T value;
  std::memcpy(&value, host, sizeof(T));
  const uint64_t loaded = Convert(value);
  target = loaded;
  return Next(context, op, cpu, loaded);
}

template <typename T>
[[gnu::noinline]] void FinishStore(Context& context, const Operation* op, Cpu& cpu, uint64_t va,
                                   T value) {
  return Finish(context, op, cpu, WriteSlowly(context, op, cpu, va, sizeof(T), value));
}

template <typename T>
void StoreFrom(Context& context, const Operation* op, Cpu& cpu, uint64_t va, T value) {
  uint8_t* host = nullptr;
  if (!context.lookaside.FindWrite<sizeof(T)>(va, context.data_context, host)) [[unlikely]] {
    return FinishStore<T>(context, op, cpu, va, value);
  }
  std::memcpy(host, &value, sizeof(T));
  return Next(context, op, cpu);
}

template <typename T, auto Convert, Reuse kReuse>
void Load(Context& context, const Operation* op, Cpu& cpu, uint64_t last) {
  const uint64_t va = EffectiveAddress<kReuse>(op, cpu, last);
  return LoadTo<T, Convert>(context, op, cpu, va, cpu.r[op->ra]);
}

template <typename T, Reuse kReuse>
void Store(Context& context, const Operation* op, Cpu& cpu, uint64_t last) {
  const uint64_t va = EffectiveAddress<kReuse>(op, cpu, last);
  return StoreFrom<T>(context, op, cpu, va, static_cast<T>(OperandA<kReuse>(op, cpu, last)));
}

// LDQ_U and STQ_U ignore the low bits of the address.
template <Reuse kReuse>
void LoadUnaligned(Context& context, const Operation* op, Cpu& cpu, uint64_t last) {
  const uint64_t va = EffectiveAddress<kReuse>(op, cpu, last) & ~uint64_t{7};
  return LoadTo<uint64_t, ZeroExtend<uint64_t>>(context, op, cpu, va, cpu.r[op->ra]);
}

template <Reuse kReuse>
void StoreUnaligned(Context& context, const Operation* op, Cpu& cpu, uint64_t last) {
  const uint64_t va = EffectiveAddress<kReuse>(op, cpu, last) & ~uint64_t{7};
  return StoreFrom<uint64_t>(context, op, cpu, va, OperandA<kReuse>(op, cpu, last));
}

template <typename T, auto Convert>
void FloatLoad(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  if (!cpu.fp_enable) [[unlikely]]
    return RaiseFpDisabled(context, op, cpu);
  return LoadTo<T, Convert>(context, op, cpu, EffectiveAddress(op, cpu), cpu.f[op->ra]);
}

template <typename T, auto Convert>
void FloatStore(Context& context, const Operation* op, Cpu& cpu, uint64_t) {
  if (!cpu.fp_enable) [[unlikely]]
    return RaiseFpDisabled(context, op, cpu);
  return StoreFrom<T>(context, op, cpu, EffectiveAddress(op, cpu), Convert(cpu.f[op->ra]));
}

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
  return ForReuse<Reuse::kB>(reuse,
                             []<Reuse kReuse>() -> Handler { return Load<T, Convert, kReuse>; });
}

template <typename T>
Handler SelectStore(Reuse reuse) {
  return ForReuse<Reuse::kA, Reuse::kB>(reuse,
                                        []<Reuse kReuse>() -> Handler { return Store<T, kReuse>; });
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
  return ForReuse<Reuse::kB>(reuse,
                             []<Reuse kReuse>() -> Handler { return LoadUnaligned<kReuse>; });
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
      reuse, []<Reuse kReuse>() -> Handler { return StoreUnaligned<kReuse>; });
}
Handler SelectStlC(const alpha::Instruction&, Reuse) { return StoreConditional<uint32_t>; }
Handler SelectStqC(const alpha::Instruction&, Reuse) { return StoreConditional<uint64_t>; }

Handler SelectLdf(const alpha::Instruction& i, Reuse) {
  return OrFloatPrefetch(i, FloatLoad<uint32_t, alpha::LoadF>);
}
Handler SelectLdg(const alpha::Instruction& i, Reuse) {
  return OrFloatPrefetch(i, FloatLoad<uint64_t, alpha::LoadG>);
}
Handler SelectLds(const alpha::Instruction& i, Reuse) {
  return OrFloatPrefetch(i, FloatLoad<uint32_t, alpha::LoadS>);
}
Handler SelectLdt(const alpha::Instruction& i, Reuse) {
  return OrFloatPrefetch(i, FloatLoad<uint64_t, ZeroExtend<uint64_t>>);
}
Handler SelectStf(const alpha::Instruction&, Reuse) { return FloatStore<uint32_t, alpha::StoreF>; }
Handler SelectStg(const alpha::Instruction&, Reuse) { return FloatStore<uint64_t, alpha::StoreG>; }
Handler SelectSts(const alpha::Instruction&, Reuse) { return FloatStore<uint32_t, alpha::StoreS>; }
Handler SelectStt(const alpha::Instruction&, Reuse) {
  return FloatStore<uint64_t, Truncate<uint64_t>>;
}

}  // namespace isochron::ref
