// The questions that there are.

#ifndef ISOCHRON_DEBUG_QUERY_KINDS_H_
#define ISOCHRON_DEBUG_QUERY_KINDS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "debug/query.h"
#include "debug/symbols.h"
#include "machine/machine.h"

namespace isochron::debug {

// All symbols must outlive the query that is made.

// A range of memory.
struct MemoryPlace {
  uint64_t address = 0;  // virtual, or physical
  uint64_t size = 0;     // bytes
  bool physical = false;
  // Where the range has one physical address in all address spaces, that is in RAM.
  std::optional<uint64_t> pa;
};

// Reads ADDRESS, SYMBOL or SYMBOL+OFFSET, perhaps with :LENGTH behind it; pa:ADDRESS is physical.
// Without a length it is the symbol's size, or 8 bytes. InvalidArgument or NotFound when it is
// none.
absl::StatusOr<MemoryPlace> FindMemory(std::string_view text, const Symbols& symbols,
                                       const machine::Machine& machine);

// An instruction.
struct CodePlace {
  uint64_t pc = 0;           // as in Cpu::pc
  bool is_function = false;  // the first of one, so that RA says where it returns to
};

absl::StatusOr<CodePlace> FindCode(std::string_view text, const Symbols& symbols);

std::unique_ptr<Query> MakeMemoryQuery(const MemoryPlace& place, bool writes,
                                       const Symbols& symbols);
std::unique_ptr<Query> MakeExecutionQuery(const CodePlace& place, const Symbols& symbols);
std::unique_ptr<Query> MakeExceptionQuery(const Symbols& symbols);
std::unique_ptr<Query> MakeInterruptQuery(const Symbols& symbols);
std::unique_ptr<Query> MakeSystemCallQuery(const Symbols& symbols);
std::unique_ptr<Query> MakeTlbMissQuery(const Symbols& symbols);
std::unique_ptr<Query> MakeSwitchQuery(const Symbols& symbols);

}  // namespace isochron::debug

#endif  // ISOCHRON_DEBUG_QUERY_KINDS_H_
