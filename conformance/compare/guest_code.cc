#include "conformance/compare/guest_code.h"

#include <optional>

#include "absl/strings/str_format.h"
#include "alpha/disassemble.h"
#include "alpha/fetch_word.h"

namespace isochron::conformance {

std::string InstructionLines(const alpha::Cpu& cpu, const alpha::Memory& memory, uint64_t pc) {
  std::string text;
  for (int i = -5; i <= 5; ++i) {
    const uint64_t at = pc + static_cast<uint64_t>(4 * i);
    const std::optional<uint32_t> word = alpha::FetchWord(cpu, memory, at);
    if (!word) continue;
    absl::StrAppend(&text, i == 0 ? "=> " : "   ", alpha::ListedInstruction(at, *word), "\n");
  }
  return text;
}

std::string DescribePc(const alpha::Cpu& cpu, uint64_t pc, const machine::KernelImage& kernel) {
  const uint64_t address = pc & ~uint64_t{3};
  if ((pc & 1) != 0) return absl::StrFormat("0x%x (PALmode)", address);
  if (const std::string place = kernel.DescribeCode(address); !place.empty()) {
    return absl::StrFormat("0x%x (%s)", address, place);
  }
  if (static_cast<int64_t>(address) < 0) return absl::StrFormat("0x%x", address);
  return absl::StrFormat("0x%x (ASN %d)", address, static_cast<int>(cpu.asn));
}

}  // namespace isochron::conformance
