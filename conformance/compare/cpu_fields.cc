#include "conformance/compare/cpu_fields.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "alpha/decode.h"
#include "alpha/disassemble.h"
#include "alpha/state_list.h"

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

// What reports call the field "cpu.PATH".
std::string ReportName(std::string_view path) {
  const auto index = [path](std::string_view array) -> std::optional<int> {
    int i = 0;
    if (!path.starts_with(array)) return std::nullopt;
    std::from_chars(path.data() + array.size(), path.data() + path.size(), i);
    return i;
  };
  if (const auto i = index("r[")) return IntegerName(*i);
  if (const auto i = index("f[")) return FloatName(*i);
  if (const auto i = index("shadow[")) return absl::StrCat("shadow r", *i < 4 ? 4 + *i : 16 + *i);
  return std::string(path);
}

}  // namespace

std::vector<CpuField> CpuFields(const alpha::Cpu& cpu) {
  alpha::StateLister lister;
  cpu.VisitState(lister);
  std::vector<CpuField> fields;
  for (const alpha::StateField& field : lister.fields()) {
    const std::string_view path = std::string_view(field.path).substr(field.path.find('.') + 1);
    fields.push_back({ReportName(path), field.value});
  }
  // Where it is and how far it came is what a reader looks for first.
  std::stable_partition(fields.begin(), fields.end(), [](const CpuField& field) {
    return field.name == "pc" || field.name == "cycle" || field.name == "instructions";
  });
  return fields;
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
  std::string text =
      absl::StrFormat("  %-20s %-18s %-18s %-18s\n", "", "before", first_name, second_name);
  for (const FieldChange& change : changes) {
    absl::StrAppendFormat(&text, "%s %-20s 0x%016x 0x%016x 0x%016x\n", change.differs() ? "*" : " ",
                          change.name, change.before, change.first, change.second);
  }
  return text;
}

}  // namespace isochron::conformance
