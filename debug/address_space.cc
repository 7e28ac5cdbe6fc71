#include "debug/address_space.h"

#include <algorithm>
#include <cstring>

#include "alpha/memory.h"
#include "alpha/tlb.h"
#include "alpha/translate.h"
#include "debug/calling_standard.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::debug {
namespace {

using alpha::kPageMask;
using alpha::kPageShift;

constexpr uint64_t kValid = 1;    // of a PTE
constexpr int kPfnShift = 32;     // of a PTE
constexpr int kLevelBits = 10;    // of an address for each level of page tables
constexpr int kVirtualBits = 43;  // three levels and an offset in a page
constexpr uint64_t kPteBytes = 8;

// Bits above those that are translated are copies of the highest one.
bool IsCanonical(uint64_t va) {
  const uint64_t high = va >> (kVirtualBits - 1);
  return high == 0 || high == ~uint64_t{0} >> (kVirtualBits - 1);
}

uint64_t ImpureAddress(int cpu, uint64_t offset) {
  return FW_IMPURE_BASE + static_cast<uint64_t>(cpu) * FW_IMPURE_SIZE + offset;
}

uint64_t ImpureQuadword(const machine::Machine& machine, int cpu, uint64_t offset) {
  return ReadQuadword(machine, ImpureAddress(cpu, offset)).value_or(0);
}

std::optional<Place> FindByTlb(const alpha::Tlb& tlb, uint64_t va, uint8_t asn, Place::By by) {
  const alpha::TlbEntry* const entry = tlb.Find(va, asn);
  if (entry == nullptr) return std::nullopt;
  return Place{by, entry->base | (va & entry->offset_mask()), 0};
}

std::optional<Place> WalkPageTables(const machine::Machine& machine, int cpu, uint64_t va) {
  uint64_t table = PageTableBase(machine, cpu);
  if (table == 0) return std::nullopt;
  uint64_t pte = 0;
  for (int level = 1; level <= 3; ++level) {
    const int shift = kPageShift + (3 - level) * kLevelBits;
    const uint64_t index = va >> shift & ((1 << kLevelBits) - 1);
    pte = ReadQuadword(machine, table + index * kPteBytes).value_or(0);
    if ((pte & kValid) == 0) return std::nullopt;
    table = pte >> kPfnShift << kPageShift;
  }
  return Place{Place::By::kPageTables, table | (va & kPageMask), pte};
}

// Where no superpage is, whatever the mode.
std::optional<Place> FindMapped(const machine::Machine& machine, int cpu_index, uint64_t va) {
  const alpha::Cpu& cpu = machine.cpu(cpu_index);
  if (!IsCanonical(va)) return std::nullopt;
  if (auto place = FindByTlb(cpu.dtb, va, cpu.dtb_asn, Place::By::kDtb)) return place;
  if (auto place = FindByTlb(cpu.itb, va, cpu.asn, Place::By::kItb)) return place;
  return WalkPageTables(machine, cpu_index, va);
}

}  // namespace

const char* PlaceByName(Place::By by) {
  switch (by) {
    case Place::By::kSuperpage: return "superpage";
    case Place::By::kPalmode: return "PALmode";
    case Place::By::kDtb: return "DTB";
    case Place::By::kItb: return "ITB";
    case Place::By::kPageTables: return "page tables";
  }
  return "";
}

std::optional<Place> FindPlace(const machine::Machine& machine, int cpu_index, uint64_t va) {
  const alpha::Cpu& cpu = machine.cpu(cpu_index);
  if (const std::optional<uint64_t> pa = alpha::SuperpageAddress(cpu, va)) {
    return Place{Place::By::kSuperpage, *pa, 0};
  }
  if (cpu.pal_mode() && machine.memory().Contains(va)) return Place{Place::By::kPalmode, va, 0};
  return FindMapped(machine, cpu_index, va);
}

std::string ReadPhysical(const machine::Machine& machine, uint64_t pa, uint64_t size) {
  const alpha::Memory& memory = machine.memory();
  if (!memory.Contains(pa)) return "";
  size = std::min(size, memory.size() - pa);
  return std::string(reinterpret_cast<const char*>(memory.host(pa)), size);
}

std::string ReadVirtual(const machine::Machine& machine, int cpu, uint64_t va, uint64_t size) {
  std::string bytes;
  while (bytes.size() < size) {
    const std::optional<Place> place = FindPlace(machine, cpu, va);
    if (!place.has_value()) break;
    const uint64_t rest = alpha::kPageSize - (va & kPageMask);
    const std::string part =
        ReadPhysical(machine, place->pa, std::min<uint64_t>(rest, size - bytes.size()));
    if (part.empty()) break;
    bytes += part;
    va += part.size();
  }
  return bytes;
}

std::optional<uint64_t> ReadQuadword(const machine::Machine& machine, uint64_t pa) {
  if (pa % sizeof(uint64_t) != 0 || !machine.memory().Contains(pa, sizeof(uint64_t))) {
    return std::nullopt;
  }
  return machine.memory().Load<uint64_t>(pa);
}

std::optional<uint32_t> ReadInstruction(const machine::Machine& machine, int cpu) {
  const std::string bytes = ReadVirtual(machine, cpu, machine.cpu(cpu).pc & ~uint64_t{3}, 4);
  if (bytes.size() != sizeof(uint32_t)) return std::nullopt;
  uint32_t instruction = 0;
  std::memcpy(&instruction, bytes.data(), sizeof(instruction));
  return instruction;
}

std::optional<uint32_t> ReadProgramInstruction(const machine::Machine& machine, int cpu,
                                               uint64_t va) {
  const std::optional<Place> place = FindMapped(machine, cpu, va);
  if (!place.has_value() || !machine.memory().Contains(place->pa, sizeof(uint32_t))) {
    return std::nullopt;
  }
  return machine.memory().Load<uint32_t>(place->pa);
}

uint64_t ProcessControlBlock(const machine::Machine& machine, int cpu) {
  return ImpureQuadword(machine, cpu, FW_IMPURE_PCBB);
}

uint64_t PageTableBase(const machine::Machine& machine, int cpu) {
  return ImpureQuadword(machine, cpu, FW_IMPURE_PTBR);
}

uint64_t UserStackPointer(const machine::Machine& machine, int cpu) {
  return ImpureQuadword(machine, cpu, FW_IMPURE_USP);
}

SystemFrame ReadSystemFrame(const machine::Machine& machine, int cpu) {
  std::array<uint64_t, 2> words{};
  const std::string bytes =
      ReadVirtual(machine, cpu, machine.cpu(cpu).r[kStackPointer], sizeof(words));
  std::memcpy(words.data(), bytes.data(), bytes.size());
  return {words[0], words[1], bytes.size() == sizeof(words)};
}

const char* WriterName(const alpha::MemoryReference& reference) {
  return reference.from_outside ? "a debugger" : "a device";
}

uint64_t SystemEntriesAddress(int cpu) { return ImpureAddress(cpu, FW_IMPURE_ENT); }

std::array<uint64_t, kSystemEntries> SystemEntries(const machine::Machine& machine, int cpu) {
  static_assert(kSystemEntries * sizeof(uint64_t) == FW_IMPURE_ENT_SIZE);
  std::array<uint64_t, kSystemEntries> entries{};
  for (uint64_t i = 0; i < entries.size(); ++i) {
    entries[i] = ImpureQuadword(machine, cpu, FW_IMPURE_ENT + i * sizeof(uint64_t));
  }
  return entries;
}

}  // namespace isochron::debug
