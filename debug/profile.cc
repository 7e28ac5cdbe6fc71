#include "debug/profile.h"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "debug/answers.h"

namespace isochron::debug {

using timeline::Arrival;
using timeline::Timeline;

std::string_view ProfileByName(ProfileBy by) {
  switch (by) {
    case ProfileBy::kFunction: return "function";
    case ProfileBy::kLine: return "line";
    case ProfileBy::kPc: return "pc";
    case ProfileBy::kStack: return "stack";
    case ProfileBy::kMode: return "mode";
    case ProfileBy::kAsn: break;
  }
  return "asn";
}

absl::StatusOr<Profile> Profile::Of(Timeline& timeline, const Symbols& symbols, uint64_t from,
                                    uint64_t to, std::optional<int> cpu) {
  return Of(timeline, symbols, from, to, cpu, std::numeric_limits<uint64_t>::max(),
            [](int, uint64_t, const ModeCycles&) {});
}

absl::StatusOr<Profile> Profile::Of(Timeline& timeline, const Symbols& symbols, uint64_t from,
                                    uint64_t to, std::optional<int> cpu, uint64_t span,
                                    const SpanSink& take) {
  const absl::StatusOr<Arrival> begin = timeline.GoToCycle(from);
  if (!begin.ok()) return begin.status();
  Profile profile;
  profile.symbols_ = &symbols;
  const machine::Machine& machine = timeline.machine();
  profile.from_ = machine.now();
  profile.functions_ =
      std::make_unique<Functions>([&symbols](uint64_t pc) -> std::optional<Functions::Found> {
        std::optional<Symbols::Function> function = symbols.FunctionAt(pc);
        if (!function.has_value()) return std::nullopt;
        return Functions::Found{function->begin, std::move(function->name)};
      });
  Profiler& profiler =
      *(profile.profiler_ = std::make_unique<Profiler>(machine, *profile.functions_, cpu));
  timeline.SetExecutionSink(&profiler);
  timeline.SetInterrupt([&profiler] { return !profiler.status().ok(); });
  absl::StatusOr<Arrival> end = Arrival::kThere;
  while (end.ok() && *end == Arrival::kThere && machine.now() < to) {
    const uint64_t here = machine.now();
    std::vector<ModeCycles> before;
    for (int i = 0; i < machine.cpu_count(); ++i) before.push_back(profiler.by_mode(i));
    const uint64_t next = here / span < to / span ? (here / span + 1) * span : to;
    end = timeline.RunForward(machine::StopCondition::AtCycle(next));
    profiler.CatchUp();
    for (int i = 0; i < machine.cpu_count(); ++i) {
      take(i, here, profiler.by_mode(i).Since(before[static_cast<size_t>(i)]));
    }
  }
  timeline.SetInterrupt(nullptr);
  timeline.SetExecutionSink(nullptr);
  if (!end.ok()) return end.status();
  profiler.Finish();
  if (!profiler.status().ok()) return profiler.status();
  profile.to_ = machine.now();
  profile.AddTotals();
  return profile;
}

void Profile::AddTotals() {
  const std::vector<CallTree::Node>& nodes = tree().nodes();
  totals_.resize(nodes.size());
  for (size_t i = nodes.size(); i-- > 0;) {
    totals_[i].Add({nodes[i].instructions, nodes[i].cycles});
    if (i != 0) totals_[nodes[i].parent].Add(totals_[i]);
  }
}

std::string Profile::ModeOf(const CallTree::Node& node) const {
  return node.function == Functions::kIdle ? "idle" : LevelName(node.level);
}

std::string Profile::StackOf(uint32_t node) const {
  std::vector<std::string_view> names;
  for (; node != 0; node = tree().nodes()[node].parent) {
    names.push_back(functions_->name(tree().nodes()[node].function));
  }
  std::string stack;
  for (size_t i = names.size(); i-- > 0;) {
    for (const char c : names[i]) stack += c == ';' ? ':' : c;
    if (i != 0) stack += ';';
  }
  return stack;
}

std::vector<std::vector<uint32_t>> Profile::Children() const {
  std::vector<std::vector<uint32_t>> children(tree().nodes().size());
  for (uint32_t i = 1; i < children.size(); ++i) children[tree().nodes()[i].parent].push_back(i);
  return children;
}

// A row of a table; what it does not have, others of the same table do not have either.
struct Profile::TableRow {
  Counts self;
  std::optional<Counts> total;
  std::optional<uint64_t> pc;
  std::optional<std::string> mode;
  std::string name;
};

// A row for each name.
std::vector<Profile::TableRow> Profile::RowsOf(const std::map<std::string, Counts>& counts) {
  std::vector<TableRow> rows;
  for (const auto& [name, self] : counts) {
    TableRow& row = rows.emplace_back();
    row.self = self;
    row.name = name;
  }
  return rows;
}

std::vector<Profile::TableRow> Profile::RowsByFunction() const {
  const std::vector<CallTree::Node>& nodes = tree().nodes();
  std::map<std::pair<uint32_t, Level>, TableRow> rows;
  for (uint32_t i = 1; i < nodes.size(); ++i) {
    const CallTree::Node& node = nodes[i];
    TableRow& row = rows[{node.function, node.level}];
    row.name = functions_->name(node.function);
    row.pc = functions_->begin(node.function);
    row.mode = ModeOf(node);
    row.self.Add({node.instructions, node.cycles});
    if (!row.total.has_value()) row.total = Counts();
    // What it calls itself is in the total of the outer one.
    uint32_t above = node.parent;
    while (above != 0 &&
           (nodes[above].function != node.function || nodes[above].level != node.level)) {
      above = nodes[above].parent;
    }
    if (above == 0) row.total->Add(totals_[i]);
  }
  std::vector<TableRow> all;
  for (auto& [key, row] : rows) all.push_back(std::move(row));
  return all;
}

std::vector<Profile::TableRow> Profile::RowsByStack() const {
  std::map<std::string, Counts> counts;
  const std::vector<CallTree::Node>& nodes = tree().nodes();
  for (uint32_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].instructions == 0 && nodes[i].cycles == 0) continue;
    counts[StackOf(i)].Add({nodes[i].instructions, nodes[i].cycles});
  }
  return RowsOf(counts);
}

std::vector<Profile::TableRow> Profile::RowsByMode() const {
  std::map<std::string, Counts> counts;
  for (const CallTree::Node& node : tree().nodes()) {
    if (node.instructions == 0 && node.cycles == 0) continue;
    counts[ModeOf(node)].Add({node.instructions, node.cycles});
  }
  return RowsOf(counts);
}

std::vector<Profile::TableRow> Profile::RowsByAsn() const {
  std::map<std::string, Counts> counts;
  for (const auto& [asn, self] : profiler_->by_asn()) {
    if (self.cycles != 0) counts[absl::StrCat(asn)] = self;
  }
  return RowsOf(counts);
}

std::vector<Profile::TableRow> Profile::RowsByPc() const {
  std::vector<TableRow> rows;
  for (const auto& [pc, self] : profiler_->ByPc()) {
    rows.push_back({self, std::nullopt, pc, std::nullopt, symbols_->Describe(pc)});
  }
  return rows;
}

std::vector<Profile::TableRow> Profile::RowsByLine() const {
  std::map<std::string, Counts> counts;
  for (const auto& [pc, self] : profiler_->ByPc()) {
    std::string line = symbols_->Line(pc);
    if (line.empty()) {
      const std::optional<Symbols::Function> function = symbols_->FunctionAt(pc);
      line = function.has_value() ? function->name : functions_->name(Functions::kUnknown);
    }
    counts[line].Add(self);
  }
  return RowsOf(counts);
}

std::vector<Profile::TableRow> Profile::RowsBy(ProfileBy by) const {
  std::vector<TableRow> rows;
  switch (by) {
    case ProfileBy::kFunction: rows = RowsByFunction(); break;
    case ProfileBy::kLine: rows = RowsByLine(); break;
    case ProfileBy::kPc: rows = RowsByPc(); break;
    case ProfileBy::kStack: rows = RowsByStack(); break;
    case ProfileBy::kMode: rows = RowsByMode(); break;
    case ProfileBy::kAsn: rows = RowsByAsn(); break;
  }
  if (by == ProfileBy::kLine || by == ProfileBy::kPc) {
    // What passes while nothing is executed is at no PC.
    TableRow idle;
    for (const CallTree::Node& node : tree().nodes()) {
      if (node.function == Functions::kIdle || node.function == Functions::kReset) {
        idle.self.cycles += node.cycles;
      }
    }
    idle.name = functions_->name(Functions::kIdle);
    if (idle.self.cycles != 0) rows.push_back(std::move(idle));
  }
  std::sort(rows.begin(), rows.end(), [](const TableRow& a, const TableRow& b) {
    return std::tie(b.self.cycles, b.self.instructions, a.name, a.pc, a.mode) <
           std::tie(a.self.cycles, a.self.instructions, b.name, b.pc, b.mode);
  });
  return rows;
}

void Profile::WriteTable(ProfileBy by, bool json, const LineSink& sink) const {
  const bool functions = by == ProfileBy::kFunction;
  const bool pcs = by == ProfileBy::kPc;
  std::vector<Column> columns = {{"cycles", 14}};
  if (!json) columns.push_back({"share", 6});
  columns.push_back({"instructions", 14});
  if (functions) {
    columns.push_back({"total-cycles", 14});
    columns.push_back({"total-instructions", 18});
    columns.push_back({"mode", -6});
  }
  if (functions || pcs) columns.push_back({functions ? "begin" : "pc", 18});
  columns.push_back({pcs ? "place" : ProfileByName(by), -1});
  const AnswerFormat format(columns, json);
  if (!json) sink(format.Heading());
  const double all = std::max<double>(1, static_cast<double>(total().cycles));
  for (const TableRow& row : RowsBy(by)) {
    Row cells = {Cell::Decimal(row.self.cycles)};
    if (!json) {
      const double share = 100 * static_cast<double>(row.self.cycles) / all;
      cells.push_back(Cell::Text(absl::StrFormat("%.2f%%", share)));
    }
    cells.push_back(Cell::Decimal(row.self.instructions));
    if (functions) {
      cells.push_back(Cell::Decimal(row.total->cycles));
      cells.push_back(Cell::Decimal(row.total->instructions));
      cells.push_back(Cell::Text(*row.mode));
    }
    if (functions || pcs) {
      // Labels begin nowhere.
      const bool code = row.pc.value_or(0) != 0;
      cells.push_back(code ? Cell::Hex(*row.pc & ~uint64_t{3}) : Cell());
    }
    cells.push_back(Cell::Text(row.name));
    sink(format.Format(cells));
  }
}

void Profile::WriteFolded(ProfileWeight weight, const LineSink& sink) const {
  std::map<std::string, uint64_t> lines;
  for (const TableRow& row : RowsByStack()) {
    const uint64_t value =
        weight == ProfileWeight::kCycles ? row.self.cycles : row.self.instructions;
    if (value != 0)
      lines[row.name.empty() ? functions_->name(Functions::kRoot) : row.name] += value;
  }
  for (const auto& [stack, value] : lines) sink(absl::StrCat(stack, " ", value));
}

}  // namespace isochron::debug
