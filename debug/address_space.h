// Where a virtual address lies, for who only looks.

#ifndef ISOCHRON_DEBUG_ADDRESS_SPACE_H_
#define ISOCHRON_DEBUG_ADDRESS_SPACE_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "alpha/cpu.h"
#include "alpha/stop_ranges.h"
#include "machine/machine.h"

namespace isochron::debug {

// A virtual address as a CPU has it now.
struct Place {
  // What has told; the first that knows the address counts.
  enum class By : uint8_t {
    kSuperpage,  // such as KSEG
    kPalmode,    // PALmode fetches from physical memory: there addresses of RAM are physical
    kDtb,        // an entry for the current ASN
    kItb,
    kPageTables,  // of the current process, which PALcode would walk
  };
  By by = By::kSuperpage;
  uint64_t pa = 0;
  // kPageTables: the level 3 PTE.
  uint64_t pte = 0;

  friend bool operator==(const Place&, const Place&) = default;
};

// "superpage", "PALmode", "DTB", "ITB", "page tables".
const char* PlaceByName(Place::By by);

// Nothing when the address is not mapped. Protection does not matter, and no TLB is filled, aged or
// otherwise changed.
std::optional<Place> FindPlace(const machine::Machine& machine, int cpu, uint64_t va);

// As many of the bytes from the address on as lie in RAM, which is none where the address is not
// mapped or is in I/O space: that is not looked at, since devices take notice.
std::string ReadVirtual(const machine::Machine& machine, int cpu, uint64_t va, uint64_t size);
std::string ReadPhysical(const machine::Machine& machine, uint64_t pa, uint64_t size);
// An aligned quadword of RAM; nothing where there is none.
std::optional<uint64_t> ReadQuadword(const machine::Machine& machine, uint64_t pa);
// The instruction at the CPU's PC; nothing where it cannot be read.
std::optional<uint32_t> ReadInstruction(const machine::Machine& machine, int cpu);

// Who has made a reference that no instruction has made: "a device", "a debugger".
const char* WriterName(const alpha::MemoryReference& reference);

// That of a program at a mapped address, also while PALcode runs for it.
std::optional<uint32_t> ReadProgramInstruction(const machine::Machine& machine, int cpu,
                                               uint64_t va);

// Of the current process, as PALcode keeps them; zero before it does.
uint64_t ProcessControlBlock(const machine::Machine& machine, int cpu);
uint64_t PageTableBase(const machine::Machine& machine, int cpu);
// The SP of user mode, in kernel mode and PALmode that was entered from there.
uint64_t UserStackPointer(const machine::Machine& machine, int cpu);

// What PALcode pushes for the operating system where that is entered, and pops when it goes back.
struct SystemFrame {
  static constexpr uint64_t kBytes = 48;
  static constexpr uint64_t kUserMode = 8;  // of PS
  uint64_t ps = 0;
  uint64_t pc = 0;
  bool whole = false;  // both could be read; what could not is zero
};
// That at the CPU's SP.
SystemFrame ReadSystemFrame(const machine::Machine& machine, int cpu);

// Where the operating system is entered, in the order of wrent: Int, Arith, MM, IF, Una, Sys. Bit 0
// of those that it has not set is set.
inline constexpr int kSystemEntries = 6;
std::array<uint64_t, kSystemEntries> SystemEntries(const machine::Machine& machine, int cpu);
// The physical address of where PALcode keeps them, a quadword each.
uint64_t SystemEntriesAddress(int cpu);

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_ADDRESS_SPACE_H_
