#include "alpha/fetch_word.h"

#include "alpha/translate.h"

namespace isochron::alpha {

std::optional<uint64_t> FetchAddress(const Cpu& cpu, const Memory& memory, uint64_t pc) {
  uint64_t pa = pc & kPhysicalMask;
  if ((pc & 1) == 0) {
    const Translation translation = TranslateFetch(cpu, pc);
    if (translation.status != TranslationStatus::kOk) return std::nullopt;
    pa = translation.pa;
  }
  pa &= ~uint64_t{3};
  if (!memory.Contains(pa, 4)) return std::nullopt;
  return pa;
}

std::optional<uint32_t> FetchWord(const Cpu& cpu, const Memory& memory, uint64_t pc) {
  const std::optional<uint64_t> pa = FetchAddress(cpu, memory, pc);
  if (!pa.has_value()) return std::nullopt;
  return memory.Load<uint32_t>(*pa);
}

}  // namespace isochron::alpha
