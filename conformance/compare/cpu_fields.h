// The state of a CPU as named numbers, for reports that say what differs.

#ifndef ISOCHRON_CONFORMANCE_COMPARE_CPU_FIELDS_H_
#define ISOCHRON_CONFORMANCE_COMPARE_CPU_FIELDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "alpha/cpu.h"

namespace isochron::conformance {

// One number of a CPU's state.
struct CpuField {
  std::string name;  // "t0 (r1)", "f3", "fpcr", "dtb[5].tag"
  uint64_t value = 0;
};

// All that Cpu::VisitState walks, in a fixed order: as many for any two CPUs with TLBs of the same
// sizes.
std::vector<CpuField> CpuFields(const alpha::Cpu& cpu);

// A field before an instruction and after it on two engines.
struct FieldChange {
  std::string name;
  uint64_t before = 0;
  uint64_t first = 0;
  uint64_t second = 0;

  bool differs() const { return first != second; }
};

// The fields that either engine changed or in which the two differ. The CPUs have TLBs of the same
// sizes.
std::vector<FieldChange> CompareCpus(const alpha::Cpu& before, const alpha::Cpu& first,
                                     const alpha::Cpu& second);

// Of the instructions `words`, executed in this order, the index of the first that was the last to
// write a register in which the engines differ: the likely culprit when all were executed at once.
// Nothing when no difference is in a register.
std::optional<size_t> LikelyCulprit(const std::vector<uint32_t>& words,
                                    const std::vector<FieldChange>& changes);

// The changes as a table with a mark at each difference.
std::string FormatChanges(const std::vector<FieldChange>& changes, const std::string& first_name,
                          const std::string& second_name);

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_COMPARE_CPU_FIELDS_H_
