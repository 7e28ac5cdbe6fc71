// Makes small ELF kernels for tests.

#ifndef ISOCHRON_MACHINE_FIRMWARE_ELF_TEST_IMAGE_H_
#define ISOCHRON_MACHINE_FIRMWARE_ELF_TEST_IMAGE_H_

#include <elf.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "machine/firmware/elf_image.h"
#include "machine/firmware/firmware_layout.h"

namespace isochron::machine {

// Builds the bytes of an ELF file: header, program headers, contents, symbols.
class ElfTestImage {
 public:
  struct Segment {
    uint64_t address;
    std::string contents;
    uint64_t memory_bytes;
  };
  struct NamedAddress {
    std::string name;
    uint64_t address;
    uint64_t size;
    int type;
    unsigned char other = 0;  // st_other
    bool in_memory = true;    // or in a section that is not loaded
  };

  ElfTestImage() {
    header.e_ident[0] = 0x7f;
    header.e_ident[1] = 'E';
    header.e_ident[2] = 'L';
    header.e_ident[3] = 'F';
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = 0x9026;
    header.e_version = EV_CURRENT;
    header.e_ehsize = sizeof(Elf64_Ehdr);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_shentsize = sizeof(Elf64_Shdr);
  }

  ElfTestImage& Entry(uint64_t entry) {
    header.e_entry = entry;
    return *this;
  }
  ElfTestImage& Load(uint64_t address, std::string contents, uint64_t memory_bytes) {
    segments.push_back({address, std::move(contents), memory_bytes});
    return *this;
  }
  ElfTestImage& Name(std::string name, uint64_t address, uint64_t size, int type = STT_FUNC,
                     unsigned char other = 0) {
    names.push_back({std::move(name), address, size, type, other});
    return *this;
  }

  // The file. Fields of `header` that describe the layout are filled in.
  std::string Build() const {
    Elf64_Ehdr h = header;
    h.e_phnum = static_cast<uint16_t>(segments.size());
    h.e_phoff = segments.empty() ? 0 : sizeof(Elf64_Ehdr);
    std::string programs;
    std::string contents;
    const uint64_t base = sizeof(Elf64_Ehdr) + segments.size() * sizeof(Elf64_Phdr);
    for (const Segment& segment : segments) {
      Elf64_Phdr program = {};
      program.p_type = PT_LOAD;
      program.p_offset = base + contents.size();
      program.p_vaddr = segment.address;
      program.p_paddr = segment.address;
      program.p_filesz = segment.contents.size();
      program.p_memsz = segment.memory_bytes;
      programs += Bytes(program);
      contents += segment.contents;
    }
    std::string tail;
    if (!names.empty()) tail = SymbolSections(base + contents.size(), h);
    return Bytes(h) + programs + contents + tail;
  }

  Elf64_Ehdr header = {};
  std::vector<Segment> segments;
  std::vector<NamedAddress> names;
  uint32_t symbol_table = SHT_SYMTAB;  // or SHT_DYNSYM

 private:
  template <typename T>
  static std::string Bytes(const T& value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof(T));
  }

  std::string SymbolSections(uint64_t offset, Elf64_Ehdr& h) const {
    std::string strings(1, '\0');
    std::string symbols = Bytes(Elf64_Sym{});
    for (const NamedAddress& name : names) {
      Elf64_Sym symbol = {};
      symbol.st_name = static_cast<uint32_t>(strings.size());
      symbol.st_info = static_cast<unsigned char>(ELF64_ST_INFO(STB_GLOBAL, name.type));
      symbol.st_other = name.other;
      symbol.st_shndx = name.in_memory ? 3 : 2;
      symbol.st_value = name.address;
      symbol.st_size = name.size;
      symbols += Bytes(symbol);
      strings += name.name + '\0';
    }
    Elf64_Shdr table = {};
    table.sh_type = symbol_table;
    table.sh_offset = offset;
    table.sh_size = symbols.size();
    table.sh_link = 2;
    table.sh_entsize = sizeof(Elf64_Sym);
    Elf64_Shdr string_table = {};
    string_table.sh_type = SHT_STRTAB;
    string_table.sh_offset = offset + symbols.size();
    string_table.sh_size = strings.size();
    h.e_shoff = offset + symbols.size() + strings.size();
    h.e_shnum = 4;
    Elf64_Shdr loaded = {};
    loaded.sh_type = SHT_NOBITS;
    loaded.sh_flags = SHF_ALLOC;
    return symbols + strings + Bytes(Elf64_Shdr{}) + Bytes(table) + Bytes(string_table) +
           Bytes(loaded);
  }
};

// A kernel for engines that execute no instructions.
inline KernelImage KernelOfNothing() {
  constexpr uint64_t kEntry = PhysicalToKseg(0x310000);
  return *ParseKernel(
      ElfTestImage().Entry(kEntry).Load(kEntry, std::string(4, '\0'), 0x2000).Build());
}

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_FIRMWARE_ELF_TEST_IMAGE_H_
