// exceptions, interrupts, tlb-misses and switches: what the machine and the operating system do.

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "alpha/cost.h"
#include "alpha/exceptions.h"
#include "alpha/ipr.h"
#include "alpha/stop_ranges.h"
#include "debug/address_space.h"
#include "debug/calling_standard.h"
#include "debug/osf_calls.h"
#include "debug/osf_places.h"
#include "debug/query_kinds.h"
#include "debug/stepper.h"
#include "machine/events/event.h"

namespace isochron::debug {
namespace {

using alpha::Cpu;
using alpha::PalEntry;
using machine::StopCondition;
using timeline::Timeline;

// Cycles that lie between an exception or interrupt and PALcode's first instruction.
uint64_t EntryCycles() { return alpha::InstructionCost(alpha::CostClass::kPalEntry); }

// Cells of a PC: it, and where that is.
void AddPc(uint64_t pc, const Symbols& symbols, Row& row) {
  row.push_back(Cell::Hex(pc & ~uint64_t{3}));
  row.push_back(Cell::Text(symbols.Describe(pc)));
}

std::string ArithmeticText(uint64_t summary, uint64_t registers) {
  constexpr std::array<const char*, 7> kBits = {
      "software completion", "invalid operation", "division by zero", "overflow",
      "underflow",           "inexact",           "integer overflow"};
  std::vector<std::string> words;
  for (size_t bit = 0; bit < kBits.size(); ++bit) {
    if ((summary >> bit & 1) != 0) words.emplace_back(kBits[bit]);
  }
  return absl::StrCat(absl::StrJoin(words, ", "), absl::StrFormat("; registers 0x%x", registers));
}

// The arguments of an entry as the OSF/1 interface has them (docs/palcode.md).
std::string ExceptionText(int entry, const std::array<uint64_t, 3>& a) {
  constexpr std::array<const char*, 5> kFaults = {"translation not valid", "access violation",
                                                  "fault on read", "fault on execute",
                                                  "fault on write"};
  constexpr std::array<const char*, 5> kInstructionFaults = {
      "breakpoint", "bugcheck", "generated trap", "floating point disabled", "illegal instruction"};
  switch (entry) {
    case kEntArith: return ArithmeticText(a[0], a[1]);
    case kEntMm: {
      const char* const fault = a[1] < kFaults.size() ? kFaults[a[1]] : "fault";
      const char* const access = a[2] == 0 ? "load" : a[2] == 1 ? "store" : "fetch";
      return absl::StrFormat("%s: %s of 0x%x", fault, access, a[0]);
    }
    case kEntIf:
      return a[0] < kInstructionFaults.size() ? kInstructionFaults[a[0]] : absl::StrCat(a[0]);
    case kEntUna:
      return absl::StrFormat("unaligned: opcode 0x%x, register %d, address 0x%x", a[1], a[2], a[0]);
    default: return "";
  }
}

class ExceptionQuery final : public Query {
 public:
  explicit ExceptionQuery(const Symbols& symbols) : symbols_(symbols) {}

  std::vector<Column> columns() const override {
    return {{"cycle", 12}, {"cpu", 3}, {"asn", 3},     {"mode", -6},
            {"entry", -8}, {"pc", 18}, {"place", -36}, {"what", -1}};
  }
  StopCondition Condition(const Timeline& timeline) override {
    return AtSystemEntries(timeline.machine(),
                           1 << kEntArith | 1 << kEntMm | 1 << kEntIf | 1 << kEntUna);
  }
  absl::Status Begin(Timeline&) override { return absl::OkStatus(); }

  absl::Status See(Timeline& timeline, const machine::StopReasons& met,
                   std::vector<Sighting>& seen) override {
    if (!met.pc) return absl::OkStatus();
    const machine::Machine& machine = timeline.machine();
    const int index = CpuHere(machine);
    const Cpu& cpu = machine.cpu(index);
    // Which of those that share an address it is, nobody can tell.
    const uint64_t which = SystemEntriesHere(machine, index);
    const SystemFrame frame = ReadSystemFrame(machine, index);
    seen.push_back({cpu.cycle,
                    0,
                    {cpu.asn, which, frame.ps, frame.pc, cpu.r[kFirstArgument],
                     cpu.r[kFirstArgument + 1], cpu.r[kFirstArgument + 2]},
                    index});
    return absl::OkStatus();
  }

  std::vector<size_t> shapes() const override { return {7}; }
  void Tell(const Sighting& sighting, Answers& answers) override {
    const std::vector<uint64_t>& v = sighting.values;
    std::vector<std::string> names;
    std::vector<std::string> texts;
    for (int entry = kEntArith; entry <= kEntUna; ++entry) {
      if ((v[1] >> entry & 1) == 0) continue;
      names.emplace_back(kSystemEntryNames[static_cast<size_t>(entry)]);
      texts.push_back(ExceptionText(entry, {v[4], v[5], v[6]}));
    }
    Row row = {Cell::Decimal(sighting.cycle), Cell::Decimal(sighting.cpu), Cell::Decimal(v[0]),
               Cell::Text((v[2] & SystemFrame::kUserMode) != 0 ? "user" : "kernel"),
               Cell::Text(absl::StrJoin(names, "|"))};
    AddPc(v[3] & ~uint64_t{3}, symbols_, row);
    row.push_back(Cell::Text(absl::StrJoin(texts, " | ")));
    answers.Add(std::move(row));
  }

 private:
  const Symbols& symbols_;
};

class InterruptQuery final : public Query {
 public:
  explicit InterruptQuery(const Symbols& symbols) : symbols_(symbols) {}

  std::vector<Column> columns() const override {
    return {{"cycle", 12}, {"cpu", 3},    {"asn", 3}, {"mode", -6},
            {"type", -13}, {"vector", 6}, {"pc", 18}, {"place", -1}};
  }
  StopCondition Condition(const Timeline& timeline) override {
    StopCondition condition = AtSystemEntries(timeline.machine(), 1 << kEntInt);
    condition.events = StopCondition::AtEvent<machine::InterruptEvent>().events;
    return condition;
  }
  absl::Status Begin(Timeline&) override { return absl::OkStatus(); }

  absl::Status See(Timeline& timeline, const machine::StopReasons& met,
                   std::vector<Sighting>& seen) override {
    const machine::Machine& machine = timeline.machine();
    for (const machine::Event& event : met.events) {
      const Cpu& cpu = machine.cpu(event.cpu);
      seen.push_back({cpu.cycle - EntryCycles(),
                      kTaken,
                      {cpu.asn, static_cast<uint64_t>(LevelAt(cpu, cpu.exc_addr)), cpu.exc_addr},
                      event.cpu});
    }
    if (!met.pc || (machine.cpu_count() == 1 && met.event())) return absl::OkStatus();
    const int index = CpuHere(machine);
    if ((SystemEntriesHere(machine, index) >> kEntInt & 1) == 0) return absl::OkStatus();
    const Cpu& cpu = machine.cpu(index);
    seen.push_back({cpu.cycle,
                    kDelivered,
                    {cpu.asn, cpu.r[kFirstArgument], cpu.r[kFirstArgument + 1]},
                    index});
    return absl::OkStatus();
  }

  std::vector<size_t> shapes() const override { return {3, 3}; }
  void Tell(const Sighting& sighting, Answers& answers) override {
    const std::vector<uint64_t>& v = sighting.values;
    std::optional<uint64_t>& taken = taken_[static_cast<size_t>(sighting.cpu)];
    if (sighting.kind == kTaken) {
      if (taken.has_value()) answers.Complete(*taken);  // it was gone when PALcode looked
      Row row = {Cell::Decimal(sighting.cycle),
                 Cell::Decimal(sighting.cpu),
                 Cell::Decimal(v[0]),
                 Cell::Text(LevelName(static_cast<Level>(v[1]))),
                 Cell(),
                 Cell()};
      AddPc(v[2], symbols_, row);
      taken = answers.Add(std::move(row), /*complete=*/false);
      return;
    }
    constexpr std::array<const char*, 5> kTypes = {"interprocessor", "timer", "machine check",
                                                   "device", "performance"};
    const Cell type = Cell::Text(v[1] < kTypes.size() ? kTypes[v[1]] : absl::StrCat(v[1]));
    if (taken.has_value()) {
      Row& row = answers.at(*taken);
      row[4] = type;
      row[5] = Cell::Hex(v[2]);
      answers.Complete(*taken);
      taken.reset();
      return;
    }
    // A machine check is an exception that is delivered as an interrupt.
    answers.Add({Cell::Decimal(sighting.cycle), Cell::Decimal(sighting.cpu), Cell::Decimal(v[0]),
                 Cell(), type, Cell::Hex(v[2]), Cell(), Cell()});
  }

 private:
  enum Kind { kTaken, kDelivered };

  const Symbols& symbols_;
  // Of each CPU, the row of an interrupt that has not been delivered.
  std::array<std::optional<uint64_t>, machine::MachineConfig::kMaxCpus> taken_;
};

class TlbMissQuery final : public Query {
 public:
  explicit TlbMissQuery(const Symbols& symbols) : symbols_(symbols) {}

  std::vector<Column> columns() const override {
    return {{"cycle", 12}, {"cpu", 3},      {"asn", 3}, {"mode", -6},
            {"what", -10}, {"address", 18}, {"pc", 18}, {"place", -1}};
  }
  StopCondition Condition(const Timeline& timeline) override {
    return AtPcsOfAll(timeline.machine(), [](const Cpu& cpu) {
      std::vector<uint64_t> pcs;
      for (const TlbMiss miss : {TlbMiss::kItb, TlbMiss::kDtb, TlbMiss::kPageTable}) {
        for (const uint64_t pc : TlbMissPcs(cpu, miss)) pcs.push_back(pc);
      }
      return pcs;
    });
  }
  absl::Status Begin(Timeline&) override { return absl::OkStatus(); }

  absl::Status See(Timeline& timeline, const machine::StopReasons&,
                   std::vector<Sighting>& seen) override {
    const int index = CpuHere(timeline.machine());
    const Cpu& cpu = timeline.machine().cpu(index);
    What what = kPageTable;
    uint64_t address = cpu.r[Cpu::kShadowBase];  // p4: what PALcode looks for
    if (cpu.pc == alpha::PalEntryPc(cpu, PalEntry::kItbMiss)) {
      what = kFetch;
      address = cpu.exc_addr & ~uint64_t{3};
    } else if (cpu.pc == alpha::PalEntryPc(cpu, PalEntry::kDtbmSingle)) {
      what = (cpu.mm_stat & alpha::mm_stat::kWrite) != 0 ? kStore : kLoad;
      address = cpu.va;
    }
    seen.push_back(
        {cpu.cycle - EntryCycles(),
         what,
         {cpu.asn, static_cast<uint64_t>(LevelAt(cpu, cpu.exc_addr)), cpu.exc_addr, address},
         index});
    return absl::OkStatus();
  }

  std::vector<size_t> shapes() const override { return {4, 4, 4, 4}; }
  void Tell(const Sighting& sighting, Answers& answers) override {
    constexpr std::array<const char*, 4> kWhat = {"fetch", "load", "store", "page table"};
    const std::vector<uint64_t>& v = sighting.values;
    Row row = {Cell::Decimal(sighting.cycle),
               Cell::Decimal(sighting.cpu),
               Cell::Decimal(v[0]),
               Cell::Text(LevelName(static_cast<Level>(v[1]))),
               Cell::Text(kWhat[sighting.kind]),
               Cell::Hex(v[3])};
    AddPc(v[2], symbols_, row);
    answers.Add(std::move(row));
  }

 private:
  enum What { kFetch, kLoad, kStore, kPageTable };

  const Symbols& symbols_;
};

class SwitchQuery final : public Query {
 public:
  explicit SwitchQuery(const Symbols& symbols) : symbols_(symbols) {}

  std::vector<Column> columns() const override {
    return {{"cycle", 12}, {"cpu", 3},  {"from", 12}, {"to", 12},
            {"asn", 3},    {"ptbr", 8}, {"pc", 18},   {"place", -1}};
  }
  StopCondition Condition(const Timeline& timeline) override {
    return AtPcsOfAll(timeline.machine(), [](const Cpu& cpu) {
      return std::vector<uint64_t>{alpha::CallPalPc(cpu, osf::kSwpctx)};
    });
  }
  absl::Status Begin(Timeline&) override { return absl::OkStatus(); }

  absl::Status See(Timeline& timeline, const machine::StopReasons&,
                   std::vector<Sighting>& seen) override {
    constexpr uint64_t kPtbr = 0x10, kPccAndAsn = 0x18;  // of the HWPCB
    const machine::Machine& machine = timeline.machine();
    const int index = CpuHere(machine);
    const Cpu& cpu = machine.cpu(index);
    const uint64_t to = cpu.r[kFirstArgument];
    seen.push_back({cpu.cycle - CallPalCycles(),
                    0,
                    {ProcessControlBlock(machine, index), to,
                     ReadQuadword(machine, to + kPccAndAsn).value_or(0) >> 32 & 0xff,
                     ReadQuadword(machine, to + kPtbr).value_or(0), alpha::CallPalReturn(cpu) - 4},
                    index});
    return absl::OkStatus();
  }

  std::vector<size_t> shapes() const override { return {5}; }
  void Tell(const Sighting& sighting, Answers& answers) override {
    const std::vector<uint64_t>& v = sighting.values;
    Row row = {Cell::Decimal(sighting.cycle),
               Cell::Decimal(sighting.cpu),
               Cell::Hex(v[0]),
               Cell::Hex(v[1]),
               Cell::Decimal(v[2]),
               Cell::Hex(v[3])};
    AddPc(v[4], symbols_, row);
    answers.Add(std::move(row));
  }

 private:
  const Symbols& symbols_;
};

}  // namespace

std::unique_ptr<Query> MakeExceptionQuery(const Symbols& symbols) {
  return std::make_unique<ExceptionQuery>(symbols);
}

std::unique_ptr<Query> MakeInterruptQuery(const Symbols& symbols) {
  return std::make_unique<InterruptQuery>(symbols);
}

std::unique_ptr<Query> MakeTlbMissQuery(const Symbols& symbols) {
  return std::make_unique<TlbMissQuery>(symbols);
}

std::unique_ptr<Query> MakeSwitchQuery(const Symbols& symbols) {
  return std::make_unique<SwitchQuery>(symbols);
}

}  // namespace isochron::debug
