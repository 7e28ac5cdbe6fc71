// The source lines of a kernel's instructions, from the DWARF in its file.

#ifndef ISOCHRON_MACHINE_FIRMWARE_SOURCE_LINES_H_
#define ISOCHRON_MACHINE_FIRMWARE_SOURCE_LINES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace isochron::machine {

// Read when it is first asked, since only reports ask. Safe to use from several threads.
class SourceLines {
 public:
  // The lines of an ELF file, of which a copy is kept; nullptr when it has none, when unpacking
  // them would take more than 2 GiB, or when the program was built without libdw. The file is not
  // trusted.
  static std::shared_ptr<const SourceLines> Of(std::string_view elf);

  virtual ~SourceLines() = default;

  // "kernel/panic.c:190": the file as seen from the directory where it was compiled, or else with
  // its whole path; empty for an address of which nothing is known. Not yet printable: it may hold
  // any byte.
  virtual std::string Find(uint64_t address) const = 0;
};

}  // namespace isochron::machine

#endif  // ISOCHRON_MACHINE_FIRMWARE_SOURCE_LINES_H_
