// executions: when an instruction was executed; of a function, with what, and what it returned.

#include <map>
#include <tuple>
#include <utility>

#include "alpha/cpu.h"
#include "debug/address_space.h"
#include "debug/calling_standard.h"
#include "debug/osf_places.h"
#include "debug/query_kinds.h"

namespace isochron::debug {
namespace {

using timeline::Timeline;

class ExecutionQuery final : public Query {
 public:
  ExecutionQuery(const CodePlace& place, const Symbols& symbols)
      : place_(place), symbols_(symbols) {}

  std::vector<Column> columns() const override {
    std::vector<Column> columns = {{"cycle", 12}, {"cpu", 3}, {"asn", 3}, {"pc", 18}};
    for (const std::string_view name : {"a0", "a1", "a2", "a3", "a4", "a5"}) {
      columns.push_back({name, 18});
    }
    for (const std::string_view name : {"v0", "ra"}) columns.push_back({name, 18});
    columns.push_back({"returned", 12});
    columns.push_back({"caller", -1});
    return columns;
  }

  machine::StopCondition Condition(const Timeline&) override {
    machine::StopCondition condition = machine::StopCondition::AtPcs({place_.pc});
    for (const auto& [call, count] : open_) {
      const uint64_t ra = std::get<0>(call);
      if (condition.pcs.back() != ra) condition.pcs.push_back(ra);
    }
    return condition;
  }

  absl::Status Begin(Timeline&) override { return absl::OkStatus(); }
  // Where calls return is to be seen wherever that is.
  bool cuttable() const override { return !place_.is_function; }

  absl::Status See(Timeline& timeline, const machine::StopReasons&,
                   std::vector<Sighting>& seen) override {
    const int index = CpuHere(timeline.machine());
    const alpha::Cpu& cpu = timeline.machine().cpu(index);
    const uint64_t pcbb = ProcessControlBlock(timeline.machine(), index);
    const uint64_t sp = cpu.r[kStackPointer];
    if (open_.erase({cpu.pc, sp, pcbb}) != 0) {
      seen.push_back({cpu.cycle, kReturn, {cpu.pc, sp, pcbb, cpu.r[kResultRegister]}, index});
    }
    if (cpu.pc != place_.pc) return absl::OkStatus();
    Sighting call = {cpu.cycle, kCall, {cpu.asn, cpu.r[kReturnAddress], sp, pcbb}, index};
    for (int i = 0; i < kArguments; ++i) call.values.push_back(cpu.r[kFirstArgument + i]);
    seen.push_back(std::move(call));
    if (place_.is_function) ++open_[{ReturnPc(cpu.r[kReturnAddress]), sp, pcbb}];
    return absl::OkStatus();
  }

  std::vector<size_t> shapes() const override { return {4 + kArguments, 4}; }
  void Tell(const Sighting& sighting, Answers& answers) override {
    const std::vector<uint64_t>& v = sighting.values;
    if (sighting.kind == kReturn) {
      const auto calls = told_.extract({v[0], v[1], v[2]});
      if (calls.empty()) return;
      for (const uint64_t number : calls.mapped()) {
        Row& row = answers.at(number);
        row[kFirstArgumentColumn + kArguments] = Cell::Hex(v[3]);
        row[kFirstArgumentColumn + kArguments + 2] = Cell::Decimal(sighting.cycle);
        answers.Complete(number);
      }
      return;
    }
    Row row = {Cell::Decimal(sighting.cycle), Cell::Decimal(sighting.cpu), Cell::Decimal(v[0]),
               Cell::Hex(place_.pc & ~uint64_t{3})};
    for (int i = 0; i < kArguments; ++i) row.push_back(Cell::Hex(v[4 + i]));
    row.push_back(Cell());
    row.push_back(Cell::Hex(v[1]));
    row.push_back(Cell());
    row.push_back(Cell::Text(symbols_.Describe(v[1])));
    const uint64_t number = answers.Add(std::move(row), /*complete=*/!place_.is_function);
    if (place_.is_function) told_[{ReturnPc(v[1]), v[2], v[3]}].push_back(number);
  }

 private:
  enum Kind { kCall, kReturn };
  static constexpr int kFirstArgumentColumn = 4;
  // Where a call returns to, with which SP, and in which process.
  using Call = std::tuple<uint64_t, uint64_t, uint64_t>;

  static uint64_t ReturnPc(uint64_t ra) { return ra & ~uint64_t{3}; }

  const CodePlace place_;
  const Symbols& symbols_;
  std::map<Call, int> open_;  // that have been seen, by PC
  std::map<Call, std::vector<uint64_t>> told_;
};

}  // namespace

absl::StatusOr<CodePlace> FindCode(std::string_view text, const Symbols& symbols) {
  const absl::StatusOr<NamedPlace> place = symbols.Find(text, /*code=*/true);
  if (!place.ok()) return place.status();
  // Calls within a program skip what loads GP, and others come by there, too.
  const uint64_t pc = place->pc() + place->local_entry;
  const std::string name = symbols.Name(place->pc());
  const bool begins = !name.empty() && name.find("+0x") == std::string::npos;
  return CodePlace{pc, begins && place->size != 0 && !place->pal};
}

std::unique_ptr<Query> MakeExecutionQuery(const CodePlace& place, const Symbols& symbols) {
  return std::make_unique<ExecutionQuery>(place, symbols);
}

}  // namespace isochron::debug
