// The Hardware Restart Parameter Block: what a console tells the operating system about the
// machine (Alpha Architecture Reference Manual, Console Interface; layouts as in Linux
// asm/hwrpb.h). Also the bootstrap page tables through which it is found.

#ifndef ISOCHRON_MACHINE_FIRMWARE_HWRPB_H_
#define ISOCHRON_MACHINE_FIRMWARE_HWRPB_H_

#include <cstdint>
#include <string>
#include <vector>

#include "alpha/memory.h"

namespace isochron::machine {

// Interval clock interrupts in a second (MC146818 periodic rate that a console sets).
inline constexpr uint64_t kIntervalClockHz = 1024;

// Low half of a PTE (OSF/1 software format); the page frame number is in <63:32>.
enum PteBits : uint64_t {
  kPteValid = uint64_t{1} << 0,
  kPteAddressSpaceMatch = uint64_t{1} << 4,
  kPteKernelRead = uint64_t{1} << 8,
  kPteKernelWrite = uint64_t{1} << 12,
};

// State and capability bits of a per-CPU slot.
enum SlotFlags : uint64_t {
  kSlotStarted = uint64_t{1} << 0,  // "bootstrap in progress"
  kSlotAvailable = uint64_t{1} << 2,
  kSlotPresent = uint64_t{1} << 3,
  kSlotPalValid = uint64_t{1} << 6,
  kSlotPalMemoryValid = uint64_t{1} << 7,
  kSlotPalLoaded = uint64_t{1} << 8,
  kSlotHaltAction = uint64_t{0xff} << 16,  // what a halt is to lead to; zero: nothing is said
};

// Hardware privileged context block, as SWPCTX loads it (OSF/1).
struct Hwpcb {
  uint64_t kernel_stack = 0;
  uint64_t user_stack = 0;
  uint64_t page_table = 0;  // page frame number of the level 1 table
  uint32_t cycle_count = 0;
  uint32_t asn = 0;
  uint64_t unique = 0;
  uint64_t flags = 0;  // bit 0: floating point enabled
  uint64_t reserved[2] = {};
};
static_assert(sizeof(Hwpcb) == 64);

// Fixed part of the HWRPB. Offsets are in bytes from its start.
struct HwrpbHeader {
  uint64_t physical_address;
  uint64_t id;  // "HWRPB\0\0\0"
  uint64_t revision;
  uint64_t size;
  uint64_t primary_cpu;
  uint64_t page_bytes;
  uint64_t physical_bits;
  uint64_t max_asn;
  char serial_number[16];
  uint64_t system_type;
  uint64_t system_variation;
  uint64_t system_revision;
  uint64_t interval_clock;   // interrupts a second times 4096
  uint64_t cycle_frequency;  // Hz
  uint64_t vptb;
  uint64_t reserved_architecture;
  uint64_t tb_hint_offset;
  uint64_t slot_count;
  uint64_t slot_bytes;
  uint64_t slot_offset;
  uint64_t terminal_count;
  uint64_t terminal_bytes;
  uint64_t terminal_offset;
  uint64_t callback_offset;
  uint64_t memory_offset;
  uint64_t configuration_offset;
  uint64_t fru_offset;
  uint64_t save_terminal[2];     // routine and its argument
  uint64_t restore_terminal[2];  // likewise
  uint64_t restart[2];           // likewise, written by the operating system
  uint64_t reserved_software;
  uint64_t reserved_hardware;
  uint64_t checksum;  // sum of the quadwords before it
  uint64_t receive_ready;
  uint64_t transmit_ready;
  uint64_t recognition_offset;
  uint64_t tb_hint[8];  // zero: no hints
};
static_assert(sizeof(HwrpbHeader) == 0x180);

// Per-CPU slot.
struct CpuSlot {
  Hwpcb hwpcb;
  uint64_t hwpcb_reserved[8];
  uint64_t flags;
  uint64_t pal_memory_bytes;
  uint64_t pal_scratch_bytes;
  uint64_t pal_memory;
  uint64_t pal_scratch;
  uint64_t pal_revision;
  uint64_t cpu_type;
  uint64_t cpu_variation;
  uint64_t cpu_revision;
  char serial_number[16];
  uint64_t logout;
  uint64_t logout_bytes;
  uint64_t halt_pcbb;
  uint64_t halt_pc;
  uint64_t halt_ps;
  uint64_t halt_argument;
  uint64_t halt_return;
  uint64_t halt_procedure;
  uint64_t halt_reason;
  uint64_t reserved_software;
  uint64_t console_buffer[21];
  uint64_t pal_available[16];
  uint64_t reserved_architecture[6];
};
static_assert(sizeof(CpuSlot) == 0x280);

// Console terminal block, type 4. Only what a serial terminal needs is named.
struct TerminalBlock {
  uint64_t type;
  uint64_t unit;
  uint64_t reserved;
  uint64_t length;  // bytes that follow
  uint64_t ipl;
  uint64_t transmit_vector;
  uint64_t receive_vector;
  uint64_t terminal_type;
  uint64_t keyboard_and_screen[22];
  uint64_t bus_slot;
  uint64_t server_offset;
  uint64_t line_offset;
  uint64_t console_specific[7];
};
static_assert(sizeof(TerminalBlock) == 0x140);

// Console callback routine block, with one range of pages mapped.
struct CallbackBlock {
  uint64_t dispatch_va;
  uint64_t dispatch_pa;
  uint64_t fixup_va;
  uint64_t fixup_pa;
  uint64_t map_entries;
  uint64_t map_pages;
  struct {
    uint64_t va;
    uint64_t pa;
    uint64_t pages;
  } map[1];
  uint64_t padding[7];
};
static_assert(sizeof(CallbackBlock) == 0x80);

// Memory data descriptor table with two clusters.
struct MemoryTable {
  uint64_t checksum;  // sum of the quadwords behind it
  uint64_t implementation_pa;
  uint64_t cluster_count;
  struct {
    uint64_t first_page;
    uint64_t pages;
    uint64_t tested_pages;
    uint64_t bitmap_va;
    uint64_t bitmap_pa;
    uint64_t bitmap_checksum;
    uint64_t usage;  // bit 0: console and PALcode; bit 1: non-volatile
  } cluster[2];
  uint64_t padding[7];
};
static_assert(sizeof(MemoryTable) == 0xc0);

// Dynamic system recognition data: offsets are from the start of this block.
struct RecognitionBlock {
  uint64_t model_number;
  uint64_t license_table_offset;
  uint64_t name_offset;
  uint64_t license_count;
  uint64_t name_bytes;
  char name[88];
};
static_assert(sizeof(RecognitionBlock) == 0x80);

// What is begun with.
enum class BootProgram : uint8_t {
  kKernel,     // one that the host has loaded
  kBootstrap,  // what the console reads from a disk
};

// What the HWRPB says that is not the same in every machine.
struct HwrpbOptions {
  uint64_t memory_bytes = 0;
  uint64_t clock_hz = 0;
  uint32_t cpu_count = 1;  // 1 to FW_MAX_CPUS
  BootProgram program = BootProgram::kKernel;
};

// The context in which CPU `cpu` begins: bootstrap page tables, the top of its boot stack,
// floating point enabled. The first CPU of a machine that begins with a bootstrap has its stack at
// a virtual address.
Hwpcb BootHwpcb(uint32_t cpu, BootProgram program = BootProgram::kKernel);

// Where the page tables begin in virtual memory.
uint64_t BootVptb(BootProgram program);

// Builds the HWRPB for physical address FW_HWRPB_PA. At most FW_HWRPB_SIZE bytes.
std::vector<uint8_t> BuildHwrpb(const HwrpbOptions& options);

// Builds the bootstrap page tables for physical address FW_PAGE_TABLES_PA: a self-map at
// BootVptb(), the HWRPB and the console area at FW_HWRPB_VA, and the memory of a boot program at
// FW_BOOTSTRAP_VA, for kernel mode only; for a bootstrap more of that, and its stack. One level 1
// entry leads to all but the first: NetBSD copies it into its own table when it calls the console.
std::vector<uint8_t> BuildPageTables(BootProgram program = BootProgram::kKernel);

// Whether a CPU executes what an operating system has given it: the primary, or one that was
// started, until it executes HALT. As its HWRPB slot in guest memory has it.
bool IsInOperation(uint32_t cpu, const alpha::Memory& memory);

// Whether the operating system has said what the HALT of a CPU means for the machine: bits <23:16>
// of its slot's flags, in guest memory.
bool HasHaltAction(uint32_t cpu, const alpha::Memory& memory);

// Why PALcode stopped the machine, in one line: what it left in the HWRPB slot of the CPU that
// asked for it, in guest memory (docs/palcode.md, halt codes).
std::string DescribeFatalHalt(uint32_t cpu, const alpha::Memory& memory);

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_FIRMWARE_HWRPB_H_
