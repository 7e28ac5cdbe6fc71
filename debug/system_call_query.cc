// syscalls: what programs asked of the operating system, and what they were answered.

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "alpha/exceptions.h"
#include "debug/calling_standard.h"
#include "debug/osf_calls.h"
#include "debug/osf_places.h"
#include "debug/query_kinds.h"
#include "debug/system_calls.h"

namespace isochron::debug {
namespace {

using timeline::Timeline;

class SystemCallQuery final : public Query {
 public:
  explicit SystemCallQuery(const Symbols& symbols) : symbols_(symbols) {}

  std::vector<Column> columns() const override {
    std::vector<Column> columns = {{"cycle", 12}, {"cpu", 3},    {"asn", 3},
                                   {"pcbb", 12},  {"number", 6}, {"name", -20}};
    for (const std::string_view name : {"a0", "a1", "a2", "a3", "a4", "a5"}) {
      columns.push_back({name, 13});
    }
    columns.push_back({"result", 13});
    columns.push_back({"error", 5});
    columns.push_back({"cycles", 12});
    columns.push_back({"pc", 18});
    columns.push_back({"place", -1});
    return columns;
  }

  machine::StopCondition Condition(const Timeline& timeline) override {
    return AtPcsOfAll(timeline.machine(), SystemCallPcs);
  }

  absl::Status Begin(Timeline&) override { return absl::OkStatus(); }

  absl::Status See(Timeline& timeline, const machine::StopReasons&,
                   std::vector<Sighting>& seen) override {
    const machine::Machine& machine = timeline.machine();
    const int index = CpuHere(machine);
    const alpha::Cpu& cpu = machine.cpu(index);
    const uint64_t began = cpu.cycle - CallPalCycles();
    if (AtSystemCall(cpu)) {
      const SystemCallKey made = SystemCallMade(machine, index);
      Sighting call = {
          began, kCall, {made.pcbb, made.pc, made.sp, cpu.asn, cpu.r[kResultRegister]}, index};
      for (int i = 0; i < kArguments; ++i) call.values.push_back(cpu.r[kFirstArgument + i]);
      seen.push_back(std::move(call));
      return absl::OkStatus();
    }
    const std::optional<SystemCallKey> key = SystemCallReturned(machine, index);
    if (!key.has_value()) return absl::OkStatus();
    seen.push_back({began,
                    kReturn,
                    {key->pcbb, key->pc, key->sp, cpu.r[kResultRegister], cpu.r[kErrorFlag]},
                    index});
    return absl::OkStatus();
  }

  std::vector<size_t> shapes() const override { return {5 + kArguments, 5}; }
  void Tell(const Sighting& sighting, Answers& answers) override {
    const std::vector<uint64_t>& v = sighting.values;
    const SystemCallKey call = {v[0], v[1], v[2]};
    const auto open = open_.find(call);
    if (sighting.kind == kReturn) {
      if (open == open_.end()) return;  // from something else
      Row& row = answers.at(open->second.row);
      row[kResultColumn] = Cell::Signed(v[3]);
      row[kResultColumn + 1] = Cell::Flag(v[4] != 0);
      row[kResultColumn + 2] = Cell::Decimal(
          // The CPU that it has gone to meanwhile may be behind.
          sighting.cycle - std::min(open->second.cycle, sighting.cycle));
      answers.Complete(open->second.row);
      open_.erase(open);
      return;
    }
    // Made again from the same place: the operating system has it done anew, after a signal.
    if (open != open_.end()) answers.Complete(open->second.row);
    Row row = {Cell::Decimal(sighting.cycle), Cell::Decimal(sighting.cpu),
               Cell::Decimal(v[3]),           Cell::Hex(v[0]),
               Cell::Decimal(v[4]),           Cell::Text(std::string(SystemCallName(v[4])))};
    for (int i = 0; i < kArguments; ++i) row.push_back(Cell::Hex(v[5 + i]));
    row.resize(row.size() + 3);
    const uint64_t pc = v[1] - 4;
    row.push_back(Cell::Hex(pc));
    row.push_back(Cell::Text(symbols_.Describe(pc)));
    open_[call] = {answers.Add(std::move(row), /*complete=*/false), sighting.cycle};
  }

 private:
  enum Kind { kCall, kReturn };
  static constexpr int kResultColumn = 6 + kArguments;
  struct Open {
    uint64_t row;
    uint64_t cycle;
  };

  const Symbols& symbols_;
  std::map<SystemCallKey, Open> open_;
};

}  // namespace

std::unique_ptr<Query> MakeSystemCallQuery(const Symbols& symbols) {
  return std::make_unique<SystemCallQuery>(symbols);
}

}  // namespace isochron::debug
