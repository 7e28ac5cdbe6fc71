#include "ref/fetch.h"

#include "absl/strings/str_cat.h"
#include "alpha/exceptions.h"
#include "alpha/translate.h"

namespace isochron::ref {

bool TranslatePc(alpha::Cpu& cpu, uint64_t& pa) {
  const uint64_t va = cpu.pc & ~uint64_t{3};
  if (cpu.pal_mode()) {
    pa = va & alpha::kPhysicalMask;
    return true;
  }
  const alpha::Translation translation = alpha::TranslateFetch(cpu, va);
  switch (translation.status) {
    case alpha::TranslationStatus::kOk: pa = translation.pa; return true;
    case alpha::TranslationStatus::kMiss: alpha::EnterItbMiss(cpu); return false;
    case alpha::TranslationStatus::kFault: alpha::EnterIacv(cpu); return false;
  }
  return false;
}

std::string TakeMachineCheck(alpha::Cpu& cpu, const char* what, uint64_t pa) {
  if (!cpu.pal_mode()) {
    alpha::EnterMachineCheck(cpu);
    return {};
  }
  return absl::StrCat("machine check in PALmode: ", what, " at physical address 0x", absl::Hex(pa),
                      ", PC 0x", absl::Hex(cpu.pc & ~uint64_t{3}));
}

}  // namespace isochron::ref
