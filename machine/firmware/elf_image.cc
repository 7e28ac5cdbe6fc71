#include "machine/firmware/elf_image.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hostio/printable.h"

namespace isochron::machine {
namespace {

// The number that Alpha ELF files carry; <elf.h> calls it EM_ALPHA in some versions only.
constexpr uint16_t kMachineAlpha = 0x9026;

// Longer names are cut. Names may share the string table's bytes, so without a limit a small
// file could ask for gigabytes of them.
constexpr size_t kMaxNameBytes = 255;

template <typename T>
std::optional<T> ReadAt(std::string_view bytes, uint64_t offset) {
  if (sizeof(T) > bytes.size() || offset > bytes.size() - sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

bool Contains(std::string_view bytes, uint64_t offset, uint64_t size) {
  return size <= bytes.size() && offset <= bytes.size() - size;
}

absl::Status Invalid(std::string_view message) {
  return absl::InvalidArgumentError(absl::string_view(message.data(), message.size()));
}

// The header of any ELF file for Alpha.
absl::StatusOr<Elf64_Ehdr> ReadElfHeader(std::string_view bytes) {
  if (bytes.size() < SELFMAG || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0) {
    return Invalid("not an ELF file");
  }
  const std::optional<Elf64_Ehdr> header = ReadAt<Elf64_Ehdr>(bytes, 0);
  if (!header.has_value()) return Invalid("ELF file cut short in its header");
  if (header->e_ident[EI_CLASS] != ELFCLASS64) return Invalid("not a 64-bit ELF file");
  if (header->e_ident[EI_DATA] != ELFDATA2LSB) return Invalid("not a little-endian ELF file");
  if (header->e_machine != kMachineAlpha) {
    return Invalid(absl::StrFormat("ELF file for machine 0x%x, not for Alpha (0x%x)",
                                   header->e_machine, kMachineAlpha));
  }
  return *header;
}

// That of a kernel.
absl::StatusOr<Elf64_Ehdr> ReadHeader(std::string_view bytes) {
  absl::StatusOr<Elf64_Ehdr> header = ReadElfHeader(bytes);
  if (!header.ok()) return header.status();
  if (header->e_type != ET_EXEC) {
    return Invalid("not a linked kernel: the ELF file is no executable");
  }
  if (header->e_phnum == 0) return Invalid("ELF file without program headers");
  if (header->e_phentsize != sizeof(Elf64_Phdr)) {
    return Invalid(absl::StrCat("ELF program headers of ", header->e_phentsize, " bytes, not ",
                                sizeof(Elf64_Phdr)));
  }
  if (!Contains(bytes, header->e_phoff, uint64_t{header->e_phnum} * sizeof(Elf64_Phdr))) {
    return Invalid("ELF file cut short in its program headers");
  }
  return *header;
}

absl::StatusOr<KernelSegment> ReadSegment(std::string_view bytes, const Elf64_Phdr& program) {
  if (program.p_filesz > program.p_memsz) {
    return Invalid(
        absl::StrFormat("segment at 0x%x is larger in the file than in memory", program.p_vaddr));
  }
  if (!Contains(bytes, program.p_offset, program.p_filesz)) {
    return Invalid(absl::StrFormat("ELF file cut short in the segment at 0x%x", program.p_vaddr));
  }
  if (!IsKseg(program.p_vaddr) || program.p_memsz > kKsegSize - KsegToPhysical(program.p_vaddr)) {
    return Invalid(absl::StrFormat("segment at 0x%x (0x%x bytes) is not in KSEG", program.p_vaddr,
                                   program.p_memsz));
  }
  KernelSegment segment;
  segment.address = program.p_vaddr;
  segment.memory_bytes = program.p_memsz;
  segment.contents = std::string(bytes.substr(program.p_offset, program.p_filesz));
  return segment;
}

absl::StatusOr<std::vector<KernelSegment>> ReadSegments(std::string_view bytes,
                                                        const Elf64_Ehdr& header) {
  // A first pass over the bare headers: overlapping ones could otherwise make many copies of
  // the file's bytes.
  std::vector<Elf64_Phdr> loads;
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    const Elf64_Phdr program = *ReadAt<Elf64_Phdr>(bytes, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (program.p_type == PT_LOAD && program.p_memsz != 0) loads.push_back(program);
  }
  if (loads.empty()) return Invalid("ELF file without a segment to load");
  std::sort(loads.begin(), loads.end(),
            [](const Elf64_Phdr& a, const Elf64_Phdr& b) { return a.p_vaddr < b.p_vaddr; });
  for (size_t i = 1; i < loads.size(); ++i) {
    if (loads[i].p_vaddr - loads[i - 1].p_vaddr < loads[i - 1].p_memsz) {
      return Invalid(absl::StrFormat("segments at 0x%x and 0x%x overlap", loads[i - 1].p_vaddr,
                                     loads[i].p_vaddr));
    }
  }

  std::vector<KernelSegment> segments;
  uint64_t file_bytes = 0;
  for (const Elf64_Phdr& program : loads) {
    absl::StatusOr<KernelSegment> segment = ReadSegment(bytes, program);
    if (!segment.ok()) return segment.status();
    file_bytes += program.p_filesz;
    if (file_bytes > bytes.size()) return Invalid("segments share bytes of the ELF file");
    segments.push_back(*std::move(segment));
  }
  return segments;
}

bool IsUseful(const Elf64_Sym& symbol) {
  const int type = ELF64_ST_TYPE(symbol.st_info);
  return (type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE) &&
         symbol.st_shndx != SHN_UNDEF && symbol.st_shndx != SHN_ABS && symbol.st_name != 0;
}

// The convention of Alpha's ELF files (binutils, elf/alpha.h: STO_ALPHA_STD_GPLOAD): the function
// begins with the two instructions that load GP.
uint64_t LocalEntry(const Elf64_Sym& symbol) {
  constexpr unsigned kStandardGpLoad = 0x88;
  return (symbol.st_other & 0xfc) == kStandardGpLoad ? 8 : 0;
}

// Of several names for an address the one with the highest rank says most.
int Rank(const Elf64_Sym& symbol) {
  const int type = ELF64_ST_TYPE(symbol.st_info);
  return (type == STT_FUNC ? 2 : 0) + (symbol.st_size != 0 ? 1 : 0);
}

// `loaded`: whether a section is in memory. What names anything else, as debuggers' sections do,
// has no address.
std::vector<Symbol> ReadTable(std::string_view bytes, const Elf64_Shdr& table,
                              const Elf64_Shdr& strings, const std::vector<bool>& loaded) {
  std::vector<std::pair<int, Symbol>> ranked;
  const std::string_view names = bytes.substr(strings.sh_offset, strings.sh_size);
  for (uint64_t offset = 0; table.sh_size - offset >= sizeof(Elf64_Sym);
       offset += sizeof(Elf64_Sym)) {
    const Elf64_Sym symbol = *ReadAt<Elf64_Sym>(bytes, table.sh_offset + offset);
    if (!IsUseful(symbol) || symbol.st_name >= names.size()) continue;
    if (symbol.st_shndx < loaded.size() && !loaded[symbol.st_shndx]) continue;
    std::string_view name = names.substr(symbol.st_name, kMaxNameBytes);
    name = name.substr(0, name.find('\0'));
    if (name.empty()) continue;
    ranked.push_back(
        {Rank(symbol), {symbol.st_value, symbol.st_size, std::string(name), LocalEntry(symbol)}});
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return std::tie(a.second.address, a.first) < std::tie(b.second.address, b.first);
  });
  std::vector<Symbol> symbols;
  symbols.reserve(ranked.size());
  for (auto& [rank, symbol] : ranked) symbols.push_back(std::move(symbol));
  return symbols;
}

// `type`: of the section, SHT_SYMTAB or SHT_DYNSYM.
absl::StatusOr<std::vector<Symbol>> ReadSymbols(std::string_view bytes, const Elf64_Ehdr& header,
                                                uint32_t type) {
  if (header.e_shoff == 0 || header.e_shnum == 0) return std::vector<Symbol>();
  if (header.e_shentsize != sizeof(Elf64_Shdr) ||
      !Contains(bytes, header.e_shoff, uint64_t{header.e_shnum} * sizeof(Elf64_Shdr))) {
    return Invalid("ELF file cut short in its section headers");
  }
  const auto section = [&](uint64_t index) {
    return *ReadAt<Elf64_Shdr>(bytes, header.e_shoff + index * sizeof(Elf64_Shdr));
  };
  std::vector<bool> loaded(header.e_shnum);
  for (uint64_t i = 0; i < header.e_shnum; ++i) {
    loaded[i] = (section(i).sh_flags & SHF_ALLOC) != 0;
  }
  for (uint64_t i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr table = section(i);
    if (table.sh_type != type) continue;
    if (table.sh_link >= header.e_shnum) return Invalid("ELF symbol table without names");
    const Elf64_Shdr strings = section(table.sh_link);
    if (!Contains(bytes, table.sh_offset, table.sh_size) ||
        !Contains(bytes, strings.sh_offset, strings.sh_size)) {
      return Invalid("ELF file cut short in its symbol table");
    }
    // A linked file has one of each type.
    return ReadTable(bytes, table, strings, loaded);
  }
  return std::vector<Symbol>();
}

bool HasInstructionAt(const std::vector<KernelSegment>& segments, uint64_t address) {
  return address % 4 == 0 &&
         std::any_of(segments.begin(), segments.end(), [&](const KernelSegment& segment) {
           return address - segment.address < segment.contents.size();
         });
}

}  // namespace

const Symbol* FindSymbol(const std::vector<Symbol>& symbols, uint64_t address) {
  auto next =
      std::upper_bound(symbols.begin(), symbols.end(), address,
                       [](uint64_t value, const Symbol& symbol) { return value < symbol.address; });
  if (next == symbols.begin()) return nullptr;
  const Symbol& symbol = *std::prev(next);
  if (symbol.size != 0 && address - symbol.address >= symbol.size) return nullptr;
  return &symbol;
}

std::string KernelImage::DescribePlace(uint64_t address) const {
  const Symbol* symbol = FindSymbol(address);
  if (symbol == nullptr) return "";
  return absl::StrFormat("%s+0x%x", hostio::Printable(symbol->name), address - symbol->address);
}

std::string KernelImage::DescribeCode(uint64_t address) const {
  const std::string place = DescribePlace(address);
  const std::string line = lines == nullptr ? "" : hostio::Printable(lines->Find(address));
  return absl::StrCat(place, place.empty() || line.empty() ? "" : ", ", line);
}

absl::StatusOr<KernelImage> ParseKernel(std::string_view bytes) {
  absl::StatusOr<Elf64_Ehdr> header = ReadHeader(bytes);
  if (!header.ok()) return header.status();
  absl::StatusOr<std::vector<KernelSegment>> segments = ReadSegments(bytes, *header);
  if (!segments.ok()) return segments.status();
  absl::StatusOr<std::vector<Symbol>> symbols = ReadSymbols(bytes, *header, SHT_SYMTAB);
  if (!symbols.ok()) return symbols.status();
  if (!HasInstructionAt(*segments, header->e_entry)) {
    return Invalid(
        absl::StrFormat("entry point 0x%x is not in a segment of the kernel", header->e_entry));
  }
  KernelImage image;
  image.segments = *std::move(segments);
  image.entry = header->e_entry;
  image.symbols = *std::move(symbols);
  image.lines = SourceLines::Of(bytes);
  return image;
}

absl::StatusOr<ElfSymbols> ParseElfSymbols(std::string_view bytes) {
  absl::StatusOr<Elf64_Ehdr> header = ReadElfHeader(bytes);
  if (!header.ok()) return header.status();
  if (header->e_type != ET_EXEC && header->e_type != ET_DYN) {
    return Invalid("not a linked program: the ELF file is no executable or shared object");
  }
  absl::StatusOr<std::vector<Symbol>> symbols = ReadSymbols(bytes, *header, SHT_SYMTAB);
  if (symbols.ok() && symbols->empty()) symbols = ReadSymbols(bytes, *header, SHT_DYNSYM);
  if (!symbols.ok()) return symbols.status();
  return ElfSymbols{*std::move(symbols), SourceLines::Of(bytes)};
}

}  // namespace isochron::machine
