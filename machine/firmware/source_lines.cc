#include "machine/firmware/source_lines.h"

#ifdef ISOCHRON_LIBDW
#include <dwarf.h>
#include <elf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <libelf.h>

#include <cstring>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#endif

namespace isochron::machine {

#ifdef ISOCHRON_LIBDW
namespace {

constexpr uint64_t kMaxUnpackedBytes = uint64_t{2} << 30;

// Whether there are lines to read, in sections of a sensible size.
bool HasLines(Elf* elf) {
  size_t names = 0;
  if (elf == nullptr || elf_getshdrstrndx(elf, &names) != 0) return false;
  bool found = false;
  uint64_t unpacked_bytes = 0;
  for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr;
       section = elf_nextscn(elf, section)) {
    // Copies: in a file that nobody vouches for headers may lie anywhere.
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) return false;
    const char* name = elf_strptr(elf, names, header.sh_name);
    found |= name != nullptr && std::strcmp(name, ".debug_line") == 0;
    if ((header.sh_flags & SHF_COMPRESSED) == 0) continue;
    GElf_Chdr packed;
    if (gelf_getchdr(section, &packed) == nullptr || packed.ch_size > kMaxUnpackedBytes)
      return false;
    unpacked_bytes += packed.ch_size;
  }
  return found && unpacked_bytes <= kMaxUnpackedBytes;
}

class DwarfLines : public SourceLines {
 public:
  explicit DwarfLines(std::string_view elf) : bytes_(elf) {
    elf_ = elf_memory(bytes_.data(), bytes_.size());
  }
  DwarfLines(const DwarfLines&) = delete;
  DwarfLines& operator=(const DwarfLines&) = delete;
  ~DwarfLines() override {
    if (dwarf_ != nullptr) dwarf_end(dwarf_);
    if (elf_ != nullptr) elf_end(elf_);
  }

  bool Usable() const { return HasLines(elf_); }

  std::string Find(uint64_t address) const override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!opened_) Open();
    Dwarf_Die unit;
    if (dwarf_ == nullptr || dwarf_addrdie(dwarf_, address, &unit) == nullptr) return "";
    Dwarf_Line* line = dwarf_getsrc_die(&unit, address);
    int number = 0;
    const char* file = dwarf_linesrc(line, nullptr, nullptr);
    if (file == nullptr || dwarf_lineno(line, &number) != 0 || number == 0) return "";
    return absl::StrCat(SeenFromItsDirectory(file, unit), ":", number);
  }

 private:
  static std::string SeenFromItsDirectory(const std::string& file, Dwarf_Die& unit) {
    Dwarf_Attribute attribute;
    const char* directory = dwarf_formstring(dwarf_attr(&unit, DW_AT_comp_dir, &attribute));
    const std::string prefix = absl::StrCat(directory == nullptr ? "" : directory, "/");
    return prefix.size() > 1 && file.starts_with(prefix) ? file.substr(prefix.size()) : file;
  }

  void Open() const {
    opened_ = true;
    if (elf_ != nullptr) dwarf_ = dwarf_begin_elf(elf_, DWARF_C_READ, nullptr);
  }

  mutable std::mutex mutex_;
  std::string bytes_;  // libelf asks for bytes that it might change, and changes none
  mutable bool opened_ = false;
  Elf* elf_ = nullptr;
  mutable Dwarf* dwarf_ = nullptr;
};

}  // namespace

std::shared_ptr<const SourceLines> SourceLines::Of(std::string_view elf) {
  if (elf_version(EV_CURRENT) == EV_NONE) return nullptr;
  auto lines = std::make_shared<DwarfLines>(elf);
  return lines->Usable() ? std::move(lines) : nullptr;
}
#else
std::shared_ptr<const SourceLines> SourceLines::Of(std::string_view) { return nullptr; }
#endif

}  // namespace isochron::machine
