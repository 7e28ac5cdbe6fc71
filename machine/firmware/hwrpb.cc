#include "machine/firmware/hwrpb.h"

#include <cstddef>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/memory.h"
#include "machine/firmware/console_layout.h"
#include "machine/firmware/elf_image.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::machine {
namespace {

constexpr uint64_t kId = 0x0000004250525748;  // "HWRPB", lowest byte first
// From revision 5 on there is a recognition block; 6 is what consoles of this age have.
constexpr uint64_t kRevision = 6;
constexpr std::string_view kSerialNumber = "ISOCHRON-1";
constexpr std::string_view kSystemName = "AlphaServer ES40 (Isochron Clipper)";
constexpr uint64_t kSystemTsunami = 34;
// Member 5 of the Tsunami family, in <15:10>, is Clipper.
constexpr uint64_t kVariationClipper = 5 << 10;

constexpr uint64_t kCpuEv67 = 11;
// VAX and IEEE floating point, may be the primary CPU.
constexpr uint64_t kCpuVariation = 7;
// OSF/1 (type 2) in <23:16>, version 1.0 in <15:0>, CPUs that it serves in <63:48>.
constexpr uint64_t kPalTypeOsf = 2;
constexpr uint64_t kPalRevision = uint64_t{FW_MAX_CPUS} << 48 | kPalTypeOsf << 16 | 1 << 8;
// Machine check logout frame in the impure area: I_LOGOUT and LF_END of palcode/pal_defs.inc.
constexpr uint64_t kLogoutOffset = 0x400;
constexpr uint64_t kLogoutBytes = 0xb8;
// Of the same area: I_ARG0, I_ARG1, I_ARG2 and I_NO_ENTRY.
constexpr uint64_t kArgumentOffset = 0x180;
constexpr uint64_t kNoEntryOffset = 0x198;

constexpr uint64_t kTerminalBlockType4 = 4;
constexpr uint64_t kTerminalSerial = 2;
constexpr uint64_t kBusIsa = 1;
constexpr uint64_t kIsaVectorCom1 = 0x800 + 16 * 4;
constexpr uint64_t kDeviceIpl = 0x15;

struct Layout {
  HwrpbHeader header;
  CpuSlot slots[FW_MAX_CPUS];
  TerminalBlock terminal;
  CallbackBlock callbacks;
  MemoryTable memory;
  RecognitionBlock recognition;
};
static_assert(offsetof(Layout, slots) % 128 == 0);
static_assert(sizeof(Layout) <= FW_HWRPB_SIZE);

uint64_t SumQuadwords(const void* first, const void* end) {
  const auto* bytes = static_cast<const uint8_t*>(first);
  uint64_t sum = 0;
  for (; bytes != end; bytes += 8) {
    uint64_t value;
    std::memcpy(&value, bytes, sizeof(value));
    sum += value;
  }
  return sum;
}

void FillHeader(const HwrpbOptions& options, HwrpbHeader& header) {
  header.physical_address = FW_HWRPB_PA;
  header.id = kId;
  header.revision = kRevision;
  header.size = sizeof(Layout);
  header.primary_cpu = 0;
  header.page_bytes = alpha::kPageSize;
  header.physical_bits = 44;
  header.max_asn = 255;
  std::memcpy(header.serial_number, kSerialNumber.data(), kSerialNumber.size());
  header.system_type = kSystemTsunami;
  header.system_variation = kVariationClipper;
  header.interval_clock = kIntervalClockHz * 4096;
  header.cycle_frequency = options.clock_hz;
  header.vptb = BootVptb(options.program);
  header.tb_hint_offset = offsetof(HwrpbHeader, tb_hint);
  header.slot_count = options.cpu_count;
  header.slot_bytes = sizeof(CpuSlot);
  header.slot_offset = offsetof(Layout, slots);
  header.terminal_count = 1;
  header.terminal_bytes = sizeof(TerminalBlock);
  header.terminal_offset = offsetof(Layout, terminal);
  header.callback_offset = offsetof(Layout, callbacks);
  header.memory_offset = offsetof(Layout, memory);
  header.recognition_offset = offsetof(Layout, recognition);
  header.checksum = SumQuadwords(&header, &header.checksum);
}

void FillSlot(uint32_t cpu, BootProgram program, CpuSlot& slot) {
  slot.hwpcb = BootHwpcb(cpu, program);
  slot.flags = kSlotAvailable | kSlotPresent | kSlotPalValid | kSlotPalMemoryValid | kSlotPalLoaded;
  slot.pal_memory = FW_PAL_BASE;
  slot.pal_memory_bytes = FW_PAL_SIZE;
  slot.pal_scratch = FW_IMPURE_BASE + uint64_t{cpu} * FW_IMPURE_SIZE;
  slot.pal_scratch_bytes = FW_IMPURE_SIZE;
  slot.logout = slot.pal_scratch + kLogoutOffset;
  slot.logout_bytes = kLogoutBytes;
  slot.pal_revision = kPalRevision;
  slot.pal_available[kPalTypeOsf] = kPalRevision;
  slot.cpu_type = kCpuEv67;
  slot.cpu_variation = kCpuVariation;
  const std::string serial = absl::StrCat("CPU-", cpu);
  std::memcpy(slot.serial_number, serial.data(), serial.size());
}

void FillTerminal(TerminalBlock& terminal) {
  terminal.type = kTerminalBlockType4;
  terminal.length = sizeof(TerminalBlock) - offsetof(TerminalBlock, ipl);
  terminal.ipl = kDeviceIpl;
  terminal.transmit_vector = kIsaVectorCom1;
  terminal.receive_vector = kIsaVectorCom1;
  terminal.terminal_type = kTerminalSerial;
  terminal.bus_slot = kBusIsa << 16;
}

void FillCallbacks(CallbackBlock& callbacks) {
  constexpr uint64_t kConsoleVa = FW_HWRPB_VA + (FW_CONSOLE_PA - FW_HWRPB_PA);
  callbacks.dispatch_va = kConsoleVa + CONSOLE_DISPATCH_DESCRIPTOR;
  callbacks.dispatch_pa = FW_CONSOLE_PA + CONSOLE_DISPATCH_DESCRIPTOR;
  callbacks.fixup_va = kConsoleVa + CONSOLE_FIXUP_DESCRIPTOR;
  callbacks.fixup_pa = FW_CONSOLE_PA + CONSOLE_FIXUP_DESCRIPTOR;
  constexpr uint64_t kPages = (FW_HWRPB_SIZE + FW_CONSOLE_SIZE) / alpha::kPageSize;
  callbacks.map_entries = 1;
  callbacks.map_pages = kPages;
  callbacks.map[0] = {FW_HWRPB_VA, FW_HWRPB_PA, kPages};
}

void FillMemory(uint64_t memory_bytes, MemoryTable& memory) {
  constexpr uint64_t kFirmwarePages = FW_END / alpha::kPageSize;
  const uint64_t pages = memory_bytes / alpha::kPageSize;
  memory.cluster_count = 2;
  memory.cluster[0].pages = kFirmwarePages;
  memory.cluster[0].tested_pages = kFirmwarePages;
  memory.cluster[0].usage = 1;
  memory.cluster[1].first_page = kFirmwarePages;
  memory.cluster[1].pages = pages - kFirmwarePages;
  memory.cluster[1].tested_pages = pages - kFirmwarePages;
  memory.checksum = SumQuadwords(&memory.implementation_pa, &memory.padding);
}

void FillRecognition(RecognitionBlock& block) {
  block.license_table_offset = offsetof(RecognitionBlock, license_count);
  block.name_offset = offsetof(RecognitionBlock, name_bytes);
  block.name_bytes = kSystemName.size();
  static_assert(kSystemName.size() < sizeof(block.name));
  std::memcpy(block.name, kSystemName.data(), kSystemName.size());
}

constexpr uint64_t Pte(uint64_t pa) {
  return pa >> alpha::kPageShift << 32 | kPteKernelWrite | kPteKernelRead | kPteAddressSpaceMatch |
         kPteValid;
}

struct Mapping {
  uint64_t va;
  uint64_t pa;
  uint64_t bytes;  // within 8 MiB, what a level 3 table maps
};

// Index of `va` in the table of `level` (1 to 3) for 8 KiB pages.
constexpr uint64_t TableIndex(uint64_t va, int level) {
  return va >> (alpha::kPageShift + 10 * (3 - level)) & 0x3ff;
}

// The exception that has no entry point, from the arguments that the entry point would have got
// (OSF/1 PALcode).
std::string DescribeException(uint64_t entry, uint64_t a0, uint64_t a1, uint64_t a2) {
  static constexpr const char* kFaults[] = {"translation not valid", "access violation",
                                            "fault on read", "fault on execute", "fault on write"};
  static constexpr const char* kInstructions[] = {
      "bpt", "bugchk", "gentrap", "floating point is disabled", "illegal instruction"};
  static constexpr const char* kInterrupts[] = {"interprocessor interrupt", "clock interrupt",
                                                "machine check", "device interrupt",
                                                "performance counter"};
  const auto name = [](uint64_t code, const auto& names) {
    return code < std::size(names) ? names[code] : "unknown";
  };
  switch (entry) {
    case 0: return absl::StrFormat("%s, vector 0x%x", name(a0, kInterrupts), a1);
    case 1: return absl::StrFormat("arithmetic trap, summary 0x%x", a0);
    case 2: {
      const char* access = a2 == 0 ? "load" : a2 == 1 ? "store" : "fetch";
      return absl::StrFormat("%s, %s, VA 0x%x", name(a1, kFaults), access, a0);
    }
    case 3: return name(a0, kInstructions);
    case 4: return absl::StrFormat("unaligned access, opcode 0x%x, VA 0x%x", a1, a0);
    default: return "callsys";
  }
}

// A quadword of a CPU's slot in guest memory.
uint64_t LoadSlot(uint32_t cpu, uint64_t offset, const alpha::Memory& memory) {
  return memory.Load<uint64_t>(FW_HWRPB_PA + offsetof(Layout, slots) + cpu * sizeof(CpuSlot) +
                               offset);
}

std::string DescribeMissingEntry(uint64_t cpu, const alpha::Memory& memory) {
  static constexpr const char* kNames[] = {"entInt", "entArith", "entMM",
                                           "entIF",  "entUna",   "entSys"};
  const auto impure = [&memory, cpu](uint64_t offset) {
    return memory.Load<uint64_t>(FW_IMPURE_BASE + cpu * FW_IMPURE_SIZE + offset);
  };
  const uint64_t entry = impure(kNoEntryOffset);
  return absl::StrFormat(
      "an exception before the kernel has set %s: %s",
      entry < std::size(kNames) ? kNames[entry] : "its entry point",
      DescribeException(entry, impure(kArgumentOffset), impure(kArgumentOffset + 8),
                        impure(kArgumentOffset + 16)));
}

}  // namespace

uint64_t BootVptb(BootProgram program) {
  return program == BootProgram::kKernel ? FW_VPTB_VA : uint64_t{FW_PRIMARY_VPTB_VA};
}

Hwpcb BootHwpcb(uint32_t cpu, BootProgram program) {
  Hwpcb hwpcb;
  hwpcb.kernel_stack = cpu == 0 && program == BootProgram::kBootstrap
                           ? FW_PRIMARY_STACK_VA + FW_STACK_SIZE
                           : PhysicalToKseg(FW_STACK_PA + (uint64_t{cpu} + 1) * FW_STACK_SIZE);
  hwpcb.page_table = FW_PAGE_TABLES_PA >> alpha::kPageShift;
  hwpcb.flags = 1;
  return hwpcb;
}

std::vector<uint8_t> BuildHwrpb(const HwrpbOptions& options) {
  Layout layout = {};
  FillHeader(options, layout.header);
  for (uint32_t cpu = 0; cpu < options.cpu_count; ++cpu) {
    FillSlot(cpu, options.program, layout.slots[cpu]);
  }
  FillTerminal(layout.terminal);
  FillCallbacks(layout.callbacks);
  FillMemory(options.memory_bytes, layout.memory);
  FillRecognition(layout.recognition);

  std::vector<uint8_t> bytes(sizeof(layout));
  std::memcpy(bytes.data(), &layout, sizeof(layout));
  return bytes;
}

std::vector<uint8_t> BuildPageTables(BootProgram program) {
  constexpr uint64_t kEntries = alpha::kPageSize / sizeof(uint64_t);
  constexpr uint64_t kLevel1 = FW_PAGE_TABLES_PA;
  constexpr uint64_t kLevel2 = kLevel1 + alpha::kPageSize;
  // Those of 8 MiB share a level 3 table.
  constexpr uint64_t kTables = 4;
  static_assert(FW_CONSOLE_PA == FW_HWRPB_PA + FW_HWRPB_SIZE);
  static_assert(TableIndex(FW_BOOTSTRAP_VA, 1) == TableIndex(FW_HWRPB_VA, 1));
  static_assert(TableIndex(FW_BOOTSTRAP_VA, 2) ==
                TableIndex(FW_PRIMARY_STACK_VA + FW_STACK_SIZE, 2));
  static_assert(kTables * alpha::kPageSize <= FW_PAGE_TABLES_SIZE);
  std::vector<Mapping> mappings = {{FW_HWRPB_VA, FW_HWRPB_PA, FW_HWRPB_SIZE + FW_CONSOLE_SIZE}};
  if (program == BootProgram::kKernel) {
    mappings.push_back({FW_BOOTSTRAP_VA, FW_BOOTSTRAP_PA, FW_BOOTSTRAP_SIZE});
  } else {
    mappings.push_back({FW_BOOTSTRAP_VA, FW_BOOTSTRAP_PA, FW_PRIMARY_SIZE});
    mappings.push_back({FW_PRIMARY_STACK_VA, FW_STACK_PA, FW_STACK_SIZE});
  }

  std::vector<uint64_t> entries(kTables * kEntries);
  uint64_t* level1 = entries.data();
  uint64_t* level2 = level1 + kEntries;
  level1[TableIndex(BootVptb(program), 1)] = Pte(kLevel1);
  level1[TableIndex(FW_HWRPB_VA, 1)] = Pte(kLevel2);
  for (const Mapping& mapping : mappings) {
    const uint64_t table = mapping.va == FW_HWRPB_VA ? 1 : 2;
    level2[TableIndex(mapping.va, 2)] = Pte(kLevel2 + table * alpha::kPageSize);
    uint64_t* level3 = level2 + table * kEntries;
    for (uint64_t offset = 0; offset < mapping.bytes; offset += alpha::kPageSize) {
      level3[TableIndex(mapping.va + offset, 3)] = Pte(mapping.pa + offset);
    }
  }

  std::vector<uint8_t> bytes(entries.size() * sizeof(uint64_t));
  std::memcpy(bytes.data(), entries.data(), bytes.size());
  return bytes;
}

bool IsInOperation(uint32_t cpu, const alpha::Memory& memory) {
  const bool started =
      cpu == 0 || (LoadSlot(cpu, offsetof(CpuSlot, flags), memory) & kSlotStarted) != 0;
  return started && LoadSlot(cpu, offsetof(CpuSlot, halt_reason), memory) == 0;
}

bool HasHaltAction(uint32_t cpu, const alpha::Memory& memory) {
  return (LoadSlot(cpu, offsetof(CpuSlot, flags), memory) & kSlotHaltAction) != 0;
}

std::string DescribeFatalHalt(uint32_t cpu, const alpha::Memory& memory) {
  const uint64_t pc = LoadSlot(cpu, offsetof(CpuSlot, halt_pc), memory);
  const uint64_t reason = LoadSlot(cpu, offsetof(CpuSlot, halt_reason), memory);
  std::string what = "PALcode stopped the machine";
  switch (reason) {
    case 2: what = "the kernel stack is not valid"; break;
    case 3: what = DescribeMissingEntry(cpu, memory); break;
    case 6: what = "a machine check while another was being handled"; break;
    case 7: what = "an exception in PALmode"; break;
    case FW_HALT_NO_BOOTSTRAP: what = "the console has found nothing to boot"; break;
    default: break;
  }
  if (cpu != 0) what = absl::StrCat("CPU ", cpu, ": ", what);
  return absl::StrFormat("%s (halt code %d), PC 0x%x", what, reason, pc);
}

}  // namespace isochron::machine
