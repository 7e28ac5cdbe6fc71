// writes, reads and last-write: who referred to memory, and what was and is there.

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "alpha/cost.h"
#include "alpha/decode.h"
#include "alpha/memory.h"
#include "debug/address_space.h"
#include "debug/query_kinds.h"
#include "hostio/number.h"
#include "hostio/printable.h"

namespace isochron::debug {
namespace {

using alpha::MemoryReference;
using alpha::StopRange;
using timeline::Arrival;
using timeline::Timeline;

constexpr uint64_t kNothing = ~uint64_t{0};  // in a sighting: no PC, no value, where told so

// Part of a range that has been referred to.
struct Part {
  uint64_t offset = 0;  // from the beginning of the reference
  uint64_t size = 0;
};

Part Overlap(uint64_t begin, uint64_t size, uint64_t range_begin, uint64_t range_size) {
  const uint64_t first = std::max(begin, range_begin);
  // Last bytes, since an end may be that of the address space.
  const uint64_t last = std::min(begin + (size - 1), range_begin + (range_size - 1));
  return {first - begin, last - first + 1};
}

class MemoryQuery final : public Query {
 public:
  MemoryQuery(const MemoryPlace& place, bool writes, const Symbols& symbols)
      : place_(place), writes_(writes), symbols_(symbols) {}

  std::vector<Column> columns() const override {
    std::vector<Column> columns = {
        {"cycle", 12}, {"cpu", 3}, {"asn", 3}, {"address", 18}, {"size", 4}};
    if (writes_) columns.push_back({"old", 18});
    columns.push_back({writes_ ? "new" : "value", 18});
    columns.push_back({"pc", 18});
    columns.push_back({"place", -1});
    return columns;
  }

  machine::StopCondition Condition(const Timeline&) override {
    machine::StopCondition condition = machine::StopCondition::AtReference(Range());
    for (const auto& [pa, bytes] : known_) {
      if (!place_.pa.has_value()) condition.ranges.push_back(Physical(pa, bytes.size(), true));
    }
    return condition;
  }

  absl::Status Begin(Timeline& timeline) override {
    known_.clear();
    if (place_.pa.has_value()) {
      known_[*place_.pa] = ReadPhysical(timeline.machine(), *place_.pa, place_.size);
    }
    return absl::OkStatus();
  }

  absl::Status See(Timeline& timeline, const machine::StopReasons& met,
                   std::vector<Sighting>& seen) override;
  std::vector<size_t> shapes() const override { return {9}; }
  void Tell(const Sighting& sighting, Answers& answers) override;

 private:
  static StopRange Physical(uint64_t pa, uint64_t size, bool writes) {
    return {StopRange::Space::kPhysical, pa, size, !writes, writes};
  }
  StopRange Range() const {
    if (place_.pa.has_value()) return Physical(*place_.pa, place_.size, writes_);
    const auto space = place_.physical ? StopRange::Space::kPhysical : StopRange::Space::kVirtual;
    return {space, place_.address, place_.size, !writes_, writes_};
  }
  // The part of the range that lies in the page of the reference, at a physical address.
  std::pair<uint64_t, uint64_t> Chunk(const MemoryReference& made) const;
  // What is known of the bytes there, as they were before the instruction; nothing when it is not.
  std::optional<uint64_t> Known(uint64_t pa, uint64_t size) const;
  void Learn(const machine::Machine& machine, uint64_t pa, uint64_t size);
  // Goes to before the instruction that has made the reference, lets `look` look, and comes back.
  static absl::Status LookBefore(Timeline& timeline, const MemoryReference& made,
                                 const std::function<void()>& look);

  const MemoryPlace place_;
  const bool writes_;
  const Symbols& symbols_;
  // What is there, by physical address: all of the place where that has one, and else of the
  // addresses that it has been seen to have.
  std::map<uint64_t, std::string> known_;
};

uint64_t Value(const char* bytes, uint64_t size) {
  uint64_t value = 0;
  std::memcpy(&value, bytes, std::min<uint64_t>(size, sizeof(value)));
  return value;
}

std::optional<uint64_t> MemoryQuery::Known(uint64_t pa, uint64_t size) const {
  auto next = known_.upper_bound(pa);
  if (next == known_.begin()) return std::nullopt;
  const auto& [begin, bytes] = *std::prev(next);
  if (pa - begin >= bytes.size() || size > bytes.size() - (pa - begin)) return std::nullopt;
  return Value(bytes.data() + (pa - begin), size);
}

void MemoryQuery::Learn(const machine::Machine& machine, uint64_t pa, uint64_t size) {
  for (auto& [begin, bytes] : known_) {
    if (pa + size <= begin || pa >= begin + bytes.size()) continue;
    const Part part = Overlap(pa, size, begin, bytes.size());
    std::memcpy(bytes.data() + (pa + part.offset - begin), machine.memory().host(pa + part.offset),
                part.size);
  }
}

std::pair<uint64_t, uint64_t> MemoryQuery::Chunk(const MemoryReference& made) const {
  const uint64_t page = *made.va & ~alpha::kPageMask;
  const Part part = Overlap(page, alpha::kPageSize, place_.address, place_.size);
  return {(made.pa & ~alpha::kPageMask) + part.offset, part.size};
}

absl::Status MemoryQuery::LookBefore(Timeline& timeline, const MemoryReference& made,
                                     const std::function<void()>& look) {
  machine::StopCondition here;
  here.moment = timeline.machine().moment();
  const MemoryReference same = made;
  absl::StatusOr<Arrival> arrival = timeline.RunBackward(
      machine::StopCondition::AtReference(Physical(same.pa, same.size, same.write)));
  if (!arrival.ok()) return arrival.status();
  look();
  arrival = timeline.RunForward(here);
  return arrival.status();
}

// Cycles that the instruction at a PC took, which has just been executed and referred to RAM.
std::optional<uint64_t> CyclesOf(const machine::Machine& machine, int cpu, uint64_t pc) {
  const uint64_t address = pc & ~uint64_t{3};
  std::optional<uint64_t> pa = address;
  if ((pc & 1) == 0) {
    const std::optional<Place> place = FindPlace(machine, cpu, address);
    pa = place.has_value() ? std::optional<uint64_t>(place->pa) : std::nullopt;
  }
  if (!pa.has_value() || !machine.memory().Contains(*pa, 4)) return std::nullopt;
  const alpha::Instruction instruction = alpha::Decode(machine.memory().Load<uint32_t>(*pa));
  return alpha::InstructionCost(alpha::Info(instruction.op).cost);
}

absl::Status MemoryQuery::See(Timeline& timeline, const machine::StopReasons& met,
                              std::vector<Sighting>& seen) {
  if (!met.reference.has_value()) return absl::OkStatus();
  const MemoryReference made = *met.reference;
  const machine::Machine& machine = timeline.machine();
  const bool asked = Range().Covers(made);
  if (!asked) {
    Learn(machine, made.pa, made.size);
    return absl::OkStatus();
  }
  const bool by_pa = place_.pa.has_value() || place_.physical;
  const Part part = Overlap(by_pa ? made.pa : *made.va, made.size, Range().begin, place_.size);
  const uint64_t pa = made.pa + part.offset;
  const bool in_ram = machine.memory().Contains(pa, part.size);
  std::optional<uint64_t> old = in_ram ? Known(pa, part.size) : std::nullopt;
  const int index = made.pc.has_value() ? static_cast<int>(made.cpu) : 0;
  const alpha::Cpu& cpu = machine.cpu(index);
  std::optional<uint64_t> cycle = made.pc.has_value() ? cpu.cycle : machine.now();
  if (made.pc.has_value()) {
    const std::optional<uint64_t> cycles =
        in_ram ? CyclesOf(machine, index, *made.pc) : std::nullopt;
    cycle = cycles.has_value() ? std::optional<uint64_t>(*cycle - *cycles) : std::nullopt;
  }
  const bool needs_old = writes_ && in_ram && !old.has_value() && made.pc.has_value();
  if (!cycle.has_value() || needs_old) {
    const absl::Status status = LookBefore(timeline, made, [&] {
      cycle = cpu.cycle;
      if (!needs_old) return;
      old = Value(reinterpret_cast<const char*>(machine.memory().host(pa)), part.size);
      constexpr size_t kMaxKnown = 64;
      if (known_.size() >= kMaxKnown) known_.clear();
      const auto [begin, size] = by_pa ? std::pair(pa, part.size) : Chunk(made);
      known_[begin] = ReadPhysical(machine, begin, size);
    });
    if (!status.ok()) return status;
  }
  Learn(machine, made.pa, made.size);
  const uint64_t value =
      in_ram ? Value(reinterpret_cast<const char*>(machine.memory().host(pa)), part.size) : 0;
  const uint64_t address = (made.va.has_value() ? *made.va : made.pa) + part.offset;
  seen.push_back({*cycle,
                  0,
                  {cpu.asn, address, part.size, old.value_or(0), old.has_value() ? 1u : 0, value,
                   in_ram ? 1u : 0, made.pc.value_or(kNothing), made.from_outside ? 1u : 0},
                  index});
  return absl::OkStatus();
}

void MemoryQuery::Tell(const Sighting& sighting, Answers& answers) {
  const std::vector<uint64_t>& v = sighting.values;
  const uint64_t pc = v[7];
  Row row = {Cell::Decimal(sighting.cycle), Cell::Decimal(sighting.cpu), Cell::Decimal(v[0]),
             Cell::Hex(v[1]), Cell::Decimal(v[2])};
  if (writes_) row.push_back(v[4] != 0 ? Cell::Hex(v[3]) : Cell());
  row.push_back(v[6] != 0 ? Cell::Hex(v[5]) : Cell());
  row.push_back(pc == kNothing ? Cell() : Cell::Hex(pc & ~uint64_t{3}));
  MemoryReference by;
  by.from_outside = v[8] != 0;
  row.push_back(
      Cell::Text(pc == kNothing ? absl::StrCat("by ", WriterName(by)) : symbols_.Describe(pc)));
  answers.Add(std::move(row));
}

}  // namespace

absl::StatusOr<MemoryPlace> FindMemory(std::string_view text, const Symbols& symbols,
                                       const machine::Machine& machine) {
  const std::string quoted = absl::StrCat("'", hostio::Printable(text), "'");
  MemoryPlace place;
  constexpr std::string_view kPhysical = "pa:";
  place.physical = text.starts_with(kPhysical);
  if (place.physical) text.remove_prefix(kPhysical.size());
  std::optional<uint64_t> length;
  if (const size_t colon = text.rfind(':'); colon != text.npos) {
    const absl::StatusOr<uint64_t> number = hostio::ParseNumber(text.substr(colon + 1));
    if (!number.ok()) return number.status();
    if (*number == 0) return absl::InvalidArgumentError(absl::StrCat(quoted, " has no bytes"));
    length = *number;
    text = text.substr(0, colon);
  }
  const absl::StatusOr<NamedPlace> named = symbols.Find(text, /*code=*/false);
  if (!named.ok()) return named.status();
  place.address = named->address;
  place.size = length.value_or(named->size != 0 ? named->size : 8);
  if (place.size - 1 > ~place.address) {
    return absl::InvalidArgumentError(absl::StrCat(quoted, " is longer than the address space"));
  }
  place.physical = place.physical || named->pal;
  const uint64_t pa = place.physical ? place.address : machine::KsegToPhysical(place.address);
  const bool is_fixed = place.physical || machine::IsKseg(place.address);
  if (is_fixed && machine.memory().Contains(pa, place.size)) place.pa = pa;
  return place;
}

std::unique_ptr<Query> MakeMemoryQuery(const MemoryPlace& place, bool writes,
                                       const Symbols& symbols) {
  return std::make_unique<MemoryQuery>(place, writes, symbols);
}

}  // namespace isochron::debug
