#include "conformance/compare/cpu_fields.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/decode.h"
#include "alpha/disassemble.h"
#include "alpha/state_visitor.h"

namespace isochron::conformance {
namespace {

std::string IntegerName(int i) {
  return absl::StrCat(std::string(alpha::IntegerRegisterName(i)), " (r", i, ")");
}
std::string FloatName(int i) { return absl::StrCat("f", i); }

// Whether `word` writes the register that reports call `name`.
bool Writes(uint32_t word, const std::string& name) {
  const alpha::Instruction instruction = alpha::Decode(word);
  const uint32_t integers = alpha::IntegerWrites(instruction);
  const uint32_t floats = alpha::FloatWrites(instruction);
  for (int i = 0; i < 31; ++i) {
    if ((integers >> i & 1) != 0 && name == IntegerName(i)) return true;
    if ((floats >> i & 1) != 0 && name == FloatName(i)) return true;
  }
  return false;
}

class Collector {
 public:
  template <typename T>
  void Add(std::string name, T value) {
    fields_.push_back({std::move(name), static_cast<uint64_t>(value)});
  }

  void AddRegisters(const alpha::Cpu& cpu) {
    for (int i = 0; i < 32; ++i) {
      Add(IntegerName(i), cpu.r[i]);
    }
    for (int i = 0; i < 8; ++i) {
      const int reg = i < 4 ? 4 + i : 16 + i;
      Add(absl::StrCat("shadow r", reg), cpu.r[alpha::Cpu::kShadowBase + i]);
    }
    for (int i = 0; i < 32; ++i) Add(FloatName(i), cpu.f[i]);
  }

  void AddTlb(const std::string& name, const alpha::Tlb& tlb) {
    for (uint32_t i = 0; i < tlb.size(); ++i) {
      const alpha::TlbEntry& entry = tlb.entry(i);
      const std::string prefix = absl::StrCat(name, "[", i, "].");
      Add(absl::StrCat(prefix, "tag"), entry.tag);
      Add(absl::StrCat(prefix, "base"), entry.base);
      Add(absl::StrCat(prefix, "permissions"), entry.permissions);
      Add(absl::StrCat(prefix, "asn"), entry.asn);
      Add(absl::StrCat(prefix, "granularity"), entry.granularity);
      Add(absl::StrCat(prefix, "asm"), entry.match_all);
      Add(absl::StrCat(prefix, "valid"), entry.valid);
    }
    // The walk of the state ends with which entry is replaced next.
    alpha::StateWriter writer;
    const_cast<alpha::Tlb&>(tlb).VisitState(writer);  // a writer changes nothing
    uint32_t next = 0;
    writer.bytes().copy(reinterpret_cast<char*>(&next), sizeof next,
                        writer.bytes().size() - sizeof next);
    Add(absl::StrCat(name, ".next"), next);
  }

  std::vector<CpuField> Release() { return std::move(fields_); }

 private:
  std::vector<CpuField> fields_;
};

}  // namespace

std::vector<CpuField> CpuFields(const alpha::Cpu& cpu) {
  Collector collector;
  const auto add = [&](const char* name, auto value) { collector.Add(name, value); };
  add("pc", cpu.pc);
  add("cycle", cpu.cycle);
  add("instructions", cpu.instructions);
  collector.AddRegisters(cpu);
  add("fpcr", cpu.fpcr);
  add("lock_flag", cpu.lock_flag);
  add("lock_address", cpu.lock_address);
  add("rc_flag", cpu.rc_flag);
  add("irq_pins", cpu.irq_pins);
  add("itb_tag", cpu.itb_tag);
  add("exc_addr", cpu.exc_addr);
  add("exc_sum", cpu.exc_sum);
  add("iva", cpu.iva);
  add("mode", cpu.mode);
  add("ier", cpu.ier);
  add("sirr", cpu.sirr);
  add("internal_requests", cpu.internal_requests);
  add("pal_base", cpu.pal_base);
  add("i_ctl", cpu.i_ctl);
  add("i_stat", cpu.i_stat);
  add("pctr_ctl", cpu.pctr_ctl);
  add("pctr0_value", cpu.pctr_value[0]);
  add("pctr1_value", cpu.pctr_value[1]);
  add("pctr0_start", cpu.pctr_start[0]);
  add("pctr1_start", cpu.pctr_start[1]);
  add("asn", cpu.asn);
  add("aster", cpu.aster);
  add("astrr", cpu.astrr);
  add("fp_enable", cpu.fp_enable);
  add("ppc_enable", cpu.ppc_enable);
  add("dtb_tag", cpu.dtb_tag);
  add("dtb_asn", cpu.dtb_asn);
  add("alt_mode", cpu.alt_mode);
  add("mm_stat", cpu.mm_stat);
  add("m_ctl", cpu.m_ctl);
  add("dc_ctl", cpu.dc_ctl);
  add("dc_stat", cpu.dc_stat);
  add("c_data", cpu.c_data);
  add("c_shft", cpu.c_shft);
  add("cc_offset", cpu.cc_offset);
  add("cc_enable", cpu.cc_enable);
  add("cc_value", cpu.cc_value);
  add("cc_start", cpu.cc_start);
  add("va", cpu.va);
  add("va_ctl", cpu.va_ctl);
  collector.AddTlb("itb", cpu.itb);
  collector.AddTlb("dtb", cpu.dtb);
  add("itb_misses", cpu.counters.itb_misses);
  add("dtb_misses", cpu.counters.dtb_misses);
  add("exceptions", cpu.counters.exceptions);
  add("interrupts", cpu.counters.interrupts);
  add("pal_calls", cpu.counters.pal_calls);
  return collector.Release();
}

std::vector<FieldChange> CompareCpus(const alpha::Cpu& before, const alpha::Cpu& first,
                                     const alpha::Cpu& second) {
  const std::vector<CpuField> a = CpuFields(before);
  const std::vector<CpuField> b = CpuFields(first);
  const std::vector<CpuField> c = CpuFields(second);
  std::vector<FieldChange> changes;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].value == b[i].value && a[i].value == c[i].value) continue;
    changes.push_back({a[i].name, a[i].value, b[i].value, c[i].value});
  }
  return changes;
}

std::optional<size_t> LikelyCulprit(const std::vector<uint32_t>& words,
                                    const std::vector<FieldChange>& changes) {
  std::optional<size_t> first;
  for (const FieldChange& change : changes) {
    if (!change.differs()) continue;
    size_t i = words.size();
    while (i != 0 && !Writes(words[i - 1], change.name)) --i;
    if (i != 0 && (!first || i - 1 < *first)) first = i - 1;
  }
  return first;
}

std::string FormatChanges(const std::vector<FieldChange>& changes, const std::string& first_name,
                          const std::string& second_name) {
  std::string text = absl::StrFormat("  %-20s %-18s %-18s %-18s\n", "", "before", first_name,
                                     second_name);
  for (const FieldChange& change : changes) {
    absl::StrAppendFormat(&text, "%s %-20s 0x%016x 0x%016x 0x%016x\n",
                          change.differs() ? "*" : " ", change.name, change.before, change.first,
                          change.second);
  }
  return text;
}

}  // namespace isochron::conformance
