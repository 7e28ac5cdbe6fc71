// Names and source lines of a guest's code and data, for people.

#ifndef ISOCHRON_DEBUG_SYMBOLS_H_
#define ISOCHRON_DEBUG_SYMBOLS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "machine/firmware/elf_image.h"

namespace isochron::debug {

// What a name stands for, or a number.
struct NamedPlace {
  uint64_t address = 0;
  uint64_t size = 0;         // bytes; 0 when nobody knows
  uint64_t local_entry = 0;  // as in machine::Symbol
  bool pal = false;          // PALcode: the address is physical

  // The place as Cpu::pc has it.
  uint64_t pc() const { return address | (pal ? 1 : 0); }
};

// The symbols of a kernel, of its PALcode, and of files that were added. PALcode's names are
// "pal.dtbm_single" or "pal.callpal_swpctx", and may be given without "pal." where nothing else has
// that name. Code of PALmode has PALcode's names alone, all else the others'.
//
// All text that it returns is printable, whatever the files call things.
class Symbols {
 public:
  // `kernel` must outlive it.
  explicit Symbols(const machine::KernelImage& kernel);

  // Adds those of an ELF file, an executable or a shared object that was loaded `bias` bytes behind
  // where it was linked to run. InvalidArgument when it is none or has no symbols.
  absl::Status AddFile(std::string_view elf, uint64_t bias);

  // What `text` names: NAME, NAME+OFFSET, or a number (0x and hexadecimal digits, or decimal), of
  // which bit 0 says PALmode as in Cpu::pc only where `code` is set. NotFound names those that are
  // like it, InvalidArgument the places of a name that has several, or what is wrong with a number.
  absl::StatusOr<NamedPlace> Find(std::string_view text, bool code) const;

  // The symbol that covers a PC.
  struct Function {
    uint64_t begin = 0;  // as in Cpu::pc
    std::string name;
  };
  std::optional<Function> FunctionAt(uint64_t pc) const;
  // "main+0x10" of a PC as Cpu::pc has it (bit 0: PALmode) and of an address of data; empty where
  // there is no symbol.
  std::string Name(uint64_t pc) const;
  std::string DataName(uint64_t address) const;
  // "init/main.c:12" of a PC; empty where that is not known.
  std::string Line(uint64_t pc) const;
  // "main+0x10 (init/main.c:12)": the two above.
  std::string Describe(uint64_t pc) const;

 private:
  // One table of names.
  struct Table {
    std::vector<machine::Symbol> own;  // unless it is the kernel's
    const std::vector<machine::Symbol>* symbols = nullptr;
    std::shared_ptr<const machine::SourceLines> lines;
    uint64_t bias = 0;  // from an address in the table to that in the guest
    bool pal = false;
  };
  struct Found {
    const Table* table = nullptr;
    const machine::Symbol* symbol = nullptr;
  };

  void AddPalcode();
  // The table and the symbol that cover the address; no symbol where there is none.
  Found Cover(uint64_t address, bool pal) const;
  static std::string Text(const Found& found, uint64_t address);
  // The places of all symbols with that name, each once.
  std::vector<NamedPlace> PlacesOf(std::string_view name) const;
  absl::StatusOr<NamedPlace> FindName(std::string_view name) const;
  // Of names with something in common with `name`, those that are most like it.
  std::vector<std::string> NamesLike(std::string_view name) const;
  std::string ListPlace(const NamedPlace& place) const;

  std::vector<std::unique_ptr<Table>> tables_;  // the kernel's first, then PALcode's
};

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_SYMBOLS_H_
