// Forms (see ref/superinstructions.h) of loads and stores.

#ifndef ISOCHRON_REF_MEMORY_FORMS_H_
#define ISOCHRON_REF_MEMORY_FORMS_H_

#include <cstdint>
#include <cstring>

#include "alpha/cpu.h"
#include "alpha/integer.h"
#include "ref/context.h"

namespace isochron::ref {

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
[[gnu::noinline]] void FinishLoad(Context& context, const Operation* op, alpha::Cpu& cpu,
                                  uint64_t va, uint64_t& target) {
  uint64_t value = 0;
  const AccessResult result = ReadSlowly(context, op, cpu, va, sizeof(T), value);
  if (result != AccessResult::kFault) target = Convert(static_cast<T>(value));
  return Finish(context, op, cpu, result, target);
}

// Reads the T at `va` into `target`, a register.
template <typename T, auto Convert, typename Then>
[[gnu::always_inline]] inline void LoadTo(Context& context, const Operation* op, alpha::Cpu& cpu,
                                          uint64_t va, uint64_t& target) {
  const uint8_t* host = nullptr;
  if (!context.lookaside.FindRead<sizeof(T)>(va, context.data_context, host)) [[unlikely]] {
    return FinishLoad<T, Convert>(context, op, cpu, va, target);
  }
  T value;
  std::memcpy(&value, host, sizeof(T));
  const uint64_t loaded = Convert(value);
  target = loaded;
  return Then::Next(context, op, cpu, loaded);
}

template <typename T>
[[gnu::noinline]] void FinishStore(Context& context, const Operation* op, alpha::Cpu& cpu,
                                   uint64_t va, T value) {
  return Finish(context, op, cpu, WriteSlowly(context, op, cpu, va, sizeof(T), value));
}

template <typename T, typename Then>
[[gnu::always_inline]] inline void StoreFrom(Context& context, const Operation* op, alpha::Cpu& cpu,
                                             uint64_t va, T value) {
  uint8_t* host = nullptr;
  if (!context.lookaside.FindWrite<sizeof(T)>(va, context.data_context, host)) [[unlikely]] {
    return FinishStore<T>(context, op, cpu, va, value);
  }
  std::memcpy(host, &value, sizeof(T));
  return Then::Next(context, op, cpu);
}

template <typename T, auto Convert, Reuse kReuse>
struct Load {
  template <typename Then>
  static void Run(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t last) {
    const uint64_t va = EffectiveAddress<kReuse>(op, cpu, last);
    return LoadTo<T, Convert, Then>(context, op, cpu, va, cpu.r[op->ra]);
  }
};

template <typename T, Reuse kReuse>
struct Store {
  template <typename Then>
  static void Run(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t last) {
    const uint64_t va = EffectiveAddress<kReuse>(op, cpu, last);
    return StoreFrom<T, Then>(context, op, cpu, va,
                              static_cast<T>(OperandA<kReuse>(op, cpu, last)));
  }
};

// LDQ_U and STQ_U ignore the low bits of the address.
template <Reuse kReuse>
struct LoadUnaligned {
  template <typename Then>
  static void Run(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t last) {
    const uint64_t va = EffectiveAddress<kReuse>(op, cpu, last) & ~uint64_t{7};
    return LoadTo<uint64_t, ZeroExtend<uint64_t>, Then>(context, op, cpu, va, cpu.r[op->ra]);
  }
};

template <Reuse kReuse>
struct StoreUnaligned {
  template <typename Then>
  static void Run(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t last) {
    const uint64_t va = EffectiveAddress<kReuse>(op, cpu, last) & ~uint64_t{7};
    return StoreFrom<uint64_t, Then>(context, op, cpu, va, OperandA<kReuse>(op, cpu, last));
  }
};

template <typename T, auto Convert>
struct FloatLoad {
  template <typename Then>
  static void Run(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t) {
    if (!cpu.fp_enable) [[unlikely]]
      return RaiseFpDisabled(context, op, cpu);
    return LoadTo<T, Convert, Then>(context, op, cpu, EffectiveAddress(op, cpu), cpu.f[op->ra]);
  }
};

template <typename T, auto Convert>
struct FloatStore {
  template <typename Then>
  static void Run(Context& context, const Operation* op, alpha::Cpu& cpu, uint64_t) {
    if (!cpu.fp_enable) [[unlikely]]
      return RaiseFpDisabled(context, op, cpu);
    return StoreFrom<T, Then>(context, op, cpu, EffectiveAddress(op, cpu), Convert(cpu.f[op->ra]));
  }
};

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_MEMORY_FORMS_H_
