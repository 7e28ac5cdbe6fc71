// Kernel images: ELF-64 executables for Alpha, linked to run in KSEG.

#ifndef ISOCHRON_MACHINE_FIRMWARE_ELF_IMAGE_H_
#define ISOCHRON_MACHINE_FIRMWARE_ELF_IMAGE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "machine/firmware/source_lines.h"

namespace isochron::machine {

// KSEG: the kernel-mode superpage that maps physical memory with a 43-bit virtual address.
// Bits <40:0> of an address in it are the physical address (21264/EV67 HRM, I_CTL[SPE]).
inline constexpr uint64_t kKsegBase = 0xfffffc0000000000;
inline constexpr uint64_t kKsegSize = uint64_t{1} << 41;
inline constexpr bool IsKseg(uint64_t va) { return va - kKsegBase < kKsegSize; }
inline constexpr uint64_t KsegToPhysical(uint64_t va) { return va & (kKsegSize - 1); }
inline constexpr uint64_t PhysicalToKseg(uint64_t pa) { return kKsegBase + pa; }

// Part of a kernel as it lies in memory.
struct KernelSegment {
  uint64_t address = 0;       // KSEG virtual address
  uint64_t memory_bytes = 0;  // bytes of memory; those past `contents` are zero (.bss)
  std::string contents;

  uint64_t physical() const { return KsegToPhysical(address); }
};

// A name of the kernel's symbol table.
struct Symbol {
  uint64_t address = 0;
  uint64_t size = 0;  // bytes; 0 when the table does not tell
  std::string name;
  // Bytes from the address to where those enter who share the function's GP, as the linker makes
  // calls within a program: it skips the two instructions that load it.
  uint64_t local_entry = 0;
};

// The last symbol at or before `address` of symbols that are in order as those of a KernelImage, or
// nullptr. A symbol with a size covers no address past its end.
const Symbol* FindSymbol(const std::vector<Symbol>& symbols, uint64_t address);

// A kernel that was found sound: segments in ascending order, none empty, all inside KSEG,
// no two overlapping; `entry` lies in one of them and is a multiple of 4.
struct KernelImage {
  std::vector<KernelSegment> segments;
  uint64_t entry = 0;
  // Functions, objects and labels by ascending address; of several at one address, functions
  // and those with a size last.
  std::vector<Symbol> symbols;
  std::shared_ptr<const SourceLines> lines;  // nullptr: the file has none

  const Symbol* FindSymbol(uint64_t address) const { return machine::FindSymbol(symbols, address); }
  // For people: "main+0x10", printable whatever the file calls it; empty where there is no symbol.
  std::string DescribePlace(uint64_t address) const;
  // The same with file and line where the kernel's file has them: "main+0x10, init/main.c:12".
  std::string DescribeCode(uint64_t address) const;
};

// Reads an ELF kernel out of `bytes`, which are not trusted. InvalidArgument with one line
// that says what is wrong: not ELF, another machine or class, cut short, segments that
// overlap or lie outside KSEG, no segment to load, an entry point outside them. An image
// without symbols is sound.
absl::StatusOr<KernelImage> ParseKernel(std::string_view bytes);

// What an ELF file says about code for people: names and lines, both as in KernelImage.
struct ElfSymbols {
  std::vector<Symbol> symbols;
  std::shared_ptr<const SourceLines> lines;  // nullptr: the file has none
};

// Reads them from an executable or a shared object, wherever it is linked to run; the dynamic
// symbols of a file that has no others. InvalidArgument as of ParseKernel().
absl::StatusOr<ElfSymbols> ParseElfSymbols(std::string_view bytes);

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_FIRMWARE_ELF_IMAGE_H_
