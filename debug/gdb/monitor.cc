#include "debug/gdb/monitor.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "alpha/ipr.h"
#include "alpha/state_list.h"
#include "alpha/tlb.h"
#include "debug/address_space.h"
#include "hostio/number.h"
#include "hostio/printable.h"
#include "hostio/quantity.h"
#include "machine/events/cycle_text.h"
#include "machine/events/guest_time.h"
#include "replaylog/describe.h"

namespace isochron::debug {
namespace {

using timeline::Arrival;
using timeline::Position;

// More is nothing to read at a prompt.
constexpr uint64_t kMaxQuadwords = 4096;
constexpr uint64_t kMaxEvents = 1000;
// Of checkpoints and of watches: a person has fewer.
constexpr size_t kMaxKept = 4096;
constexpr uint64_t kEventsAround = 5;

absl::Status Wrong(const std::string& message) { return absl::InvalidArgumentError(message); }

bool IsHexadecimal(std::string_view word) {
  return word.starts_with("0x") || word.starts_with("0X");
}

// A place in the run as the command line takes them, and in hexadecimal.
absl::StatusOr<uint64_t> ParseCycle(std::string_view word, uint64_t clock_hz) {
  if (IsHexadecimal(word)) return hostio::ParseNumber(word);
  const absl::StatusOr<machine::GuestTime> time = machine::ParseGuestTime(word);
  if (!time.ok()) return time.status();
  return time->Cycles(clock_hz);
}

// The same of a number of these.
absl::StatusOr<uint64_t> ParseCount(std::string_view word, std::string_view unit) {
  if (IsHexadecimal(word)) return hostio::ParseNumber(word);
  const std::string what = absl::StrCat("a number of ", std::string(unit));
  return hostio::ParseScaled(word, 1000, {what, "K, M or G", unit});
}

// A UART's bytes as they may be shown: a guest has no business with gdb's terminal.
std::string Printable(std::string bytes) {
  std::erase(bytes, '\r');
  std::string text = hostio::PrintableLines(bytes);
  if (!text.empty() && text.back() != '\n') text.push_back('\n');
  return text;
}

// What `stop` takes.
std::string StopHelpText() {
  std::string text = "WHAT of stop, with asn N behind it only where the CPU has that ASN:\n";
  for (const StopHelp& help : StopHelps()) {
    const std::string words(help.words);
    absl::StrAppendFormat(&text, "  %-38s%s%s\n", words,
                          words.size() < 38 ? "" : absl::StrCat("\n", std::string(40, ' ')),
                          std::string(help.meaning));
  }
  return text;
}

// Those of its entries that `asn` can use, or all.
void DescribeTlb(const char* name, const alpha::Tlb& tlb, std::optional<uint8_t> asn,
                 std::string& text) {
  for (uint32_t i = 0; i < tlb.size(); ++i) {
    const alpha::TlbEntry& entry = tlb.entry(i);
    if (!entry.valid) continue;
    if (asn.has_value() && entry.asn != *asn && !entry.match_all) continue;
    const uint64_t kilobytes = (entry.offset_mask() + 1) >> 10;
    const std::string space = entry.match_all ? "all" : absl::StrCat(entry.asn);
    absl::StrAppendFormat(&text, "%s %3d  %#018x -> %#013x  %5d KiB  ASN %-3s  PTE %#06x\n", name,
                          i, entry.tag, entry.base, kilobytes, space, entry.permissions);
  }
}

}  // namespace

std::string DescribeReference(const alpha::MemoryReference& reference, const Symbols& symbols) {
  std::string text = absl::StrFormat("%s of %d byte%s at ", reference.write ? "write" : "read",
                                     reference.size, reference.size == 1 ? "" : "s");
  if (reference.va.has_value()) absl::StrAppendFormat(&text, "%#x, ", *reference.va);
  absl::StrAppendFormat(&text, "physical %#x, ", reference.pa);
  if (!reference.pc.has_value()) return absl::StrCat(text, "by ", WriterName(reference));
  const std::string name = symbols.Name(*reference.pc);
  absl::StrAppendFormat(&text, "by %#x%s", *reference.pc & ~uint64_t{3},
                        (*reference.pc & 1) != 0 ? " in PALmode" : "");
  return name.empty() ? text : absl::StrCat(text, " ", name);
}

const MonitorCommands::Command MonitorCommands::kCommands[] = {
    {"help", "", "this list", &MonitorCommands::Help},
    {"when", "", "where this is: cycle, second, instruction, event, PC",
     &MonitorCommands::TellWhen},
    {"goto", "cycle TIME|instruction N|event N|start|end",
     "go there; TIME is a number of cycles (1.5G) or a time (2s)", &MonitorCommands::GoTo},
    {"goto", "cycle TIME cpu N|instruction N cpu N|round",
     "of several CPUs: to where one of them is; to where a debugger may write",
     &MonitorCommands::GoTo},
    {"checkpoint", "", "give this place a number", &MonitorCommands::Checkpoint},
    {"restore", "[N]", "go to the place of that number; without one, list them",
     &MonitorCommands::RestoreCheckpoint},
    {"step", "[flow|exact]",
     "steps stay with one flow of control and pass over interrupts and TLB misses; or not",
     &MonitorCommands::StepHow},
    {"watch", "phys ADDRESS SIZE r|w|a", "stop at reads, writes or both of physical memory",
     &MonitorCommands::Watch},
    {"unwatch", "[N]", "do not, of number N or of any", &MonitorCommands::Unwatch},
    {"stop", "WHAT [asn N]|delete N|delete all",
     "stop there, too, forwards and backwards; stop alone lists WHAT", &MonitorCommands::StopAt},
    {"stops", "", "the stops that are set", &MonitorCommands::ListStops},
    {"xp", "ADDRESS [COUNT]", "quadwords of physical memory", &MonitorCommands::Physical},
    {"translate", "ADDRESS", "where a virtual address lies, and who says so",
     &MonitorCommands::Translate},
    {"tlb", "[all]", "the entries of the TLBs for the current ASN, or all", &MonitorCommands::Tlbs},
    {"ipr", "", "internal processor registers, shadow registers and what else the CPU has",
     &MonitorCommands::Iprs},
    {"console", "[serial1]", "what the guest has written up to here", &MonitorCommands::Console},
    {"events", "[COUNT]", "events of the log around here, so many before and behind",
     &MonitorCommands::Events},
    {"branch", "LOG",
     "from here on it is a run of its own, which can be changed; all of it goes into a new log",
     &MonitorCommands::Branch},
    {"stats", "", "what the CPU has counted, and what going about costs", &MonitorCommands::Stats},
};

absl::StatusOr<std::string> MonitorCommands::Run(int cpu, std::string_view line) {
  cpu_ = cpu;
  Words words = absl::StrSplit(absl::string_view(line.data(), line.size()),
                               absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty());
  if (words.empty()) return Help(words);
  for (const Command& command : kCommands) {
    if (command.name != words[0]) continue;
    rest_ = line.substr(line.find(words[0]) + words[0].size());
    words.erase(words.begin());
    return (this->*command.run)(words);
  }
  return Wrong(absl::StrCat("there is no command ", replaylog::QuoteBytes(words[0], 60),
                            "; monitor help lists them"));
}

MonitorCommands::Answer MonitorCommands::Help(const Words&) {
  std::string text;
  for (const Command& command : kCommands) {
    const std::string usage =
        absl::StrCat(absl::string_view(command.name.data(), command.name.size()), " ",
                     absl::string_view(command.arguments.data(), command.arguments.size()));
    absl::StrAppendFormat(&text, "%-24s%s%s\n", usage,
                          usage.size() < 24 ? "" : absl::StrCat("\n", std::string(24, ' ')),
                          absl::string_view(command.help.data(), command.help.size()));
  }
  return absl::StrCat(text, "\n", StopHelpText());
}

std::string MonitorCommands::When() const {
  const Position at = timeline_.position();
  const machine::Machine& machine = timeline_.machine();
  std::string text =
      absl::StrFormat("cycle %s, instruction %d, event %d",
                      machine::WithSeconds(at.cycle, timeline_.header().config.clock_hz),
                      at.instructions, at.event);
  if (!several()) absl::StrAppend(&text, ", ", PcText(machine.cpu()));
  if (!several() && machine.waiting()) absl::StrAppend(&text, ", waiting for an interrupt");
  if (timeline_.in_past()) {
    absl::StrAppend(&text, ", ", timeline_.known_to() - at.cycle, " cycles back in the run");
  }
  if (several() && !machine.inside_round()) absl::StrAppend(&text, ", between rounds");
  absl::StrAppend(&text, "\n");
  for (int index = 0; several() && index < machine.cpu_count(); ++index) {
    const alpha::Cpu& cpu = machine.cpu(index);
    absl::StrAppendFormat(&text, "%c CPU %d: cycle %d, instruction %d, %s%s\n",
                          machine.next_cpu() == index ? '*' : ' ', index, cpu.cycle,
                          cpu.instructions, PcText(cpu),
                          machine.waiting(index) ? ", waiting for an interrupt" : "");
  }
  return text;
}

std::string MonitorCommands::PcText(const alpha::Cpu& cpu) const {
  const std::string text =
      absl::StrFormat("PC %#x%s", cpu.pc & ~uint64_t{3}, cpu.pal_mode() ? " in PALmode" : "");
  const std::string name = symbols_.Describe(cpu.pc);
  return name.empty() ? text : absl::StrCat(text, " ", name);
}

MonitorCommands::Answer MonitorCommands::TellWhen(const Words&) { return When(); }

MonitorCommands::Answer MonitorCommands::Arrived(const absl::StatusOr<Arrival>& arrival) {
  if (!arrival.ok()) return arrival.status();
  std::string text = When();
  if (*arrival == Arrival::kInterrupted) absl::StrAppend(&text, "interrupted on the way\n");
  if (*arrival == Arrival::kEnd) {
    absl::StrAppend(&text, timeline_.is_live() ? "the run" : "the recording", " ends here\n");
  }
  // gdb has no way to be told that a command has moved the machine.
  return absl::StrCat(text, "gdb still has the registers from before: maintenance flush ",
                      "register-cache\n");
}

MonitorCommands::Answer MonitorCommands::GoTo(const Words& words) {
  const std::string usage = "goto cycle TIME, instruction N, event N, start or end";
  if (words.size() == 1 && words[0] == "round") return Arrived(timeline_.GoToRoundEnd());
  if (words.size() == 4 && words[2] == "cpu") return GoToPlaceOf(words);
  if (words.size() == 1 && words[0] == "start") return Arrived(timeline_.GoToCycle(0));
  if (words.size() == 1 && words[0] == "end") {
    return Arrived(timeline_.is_live() ? timeline_.GoToPresent() : timeline_.GoToEnd());
  }
  if (words.size() != 2) return Wrong(usage);
  if (words[0] == "cycle") {
    const absl::StatusOr<uint64_t> cycle = ParseCycle(words[1], timeline_.header().config.clock_hz);
    return cycle.ok() ? Arrived(timeline_.GoToCycle(*cycle)) : cycle.status();
  }
  const bool event = words[0] == "event";
  if (!event && words[0] != "instruction") return Wrong(usage);
  const absl::StatusOr<uint64_t> number = ParseCount(words[1], event ? "events" : "instructions");
  if (!number.ok()) return number.status();
  return Arrived(event ? timeline_.GoToEvent(*number) : timeline_.GoToInstruction(*number));
}

MonitorCommands::Answer MonitorCommands::GoToPlaceOf(const Words& words) {
  const absl::StatusOr<uint64_t> cpu = hostio::ParseNumber(words[3]);
  if (!cpu.ok()) return cpu.status();
  if (*cpu >= static_cast<uint64_t>(timeline_.machine().cpu_count())) {
    return Wrong(absl::StrCat("there is no CPU ", *cpu));
  }
  const auto index = static_cast<int>(*cpu);
  if (words[0] == "cycle") {
    const absl::StatusOr<uint64_t> cycle = ParseCycle(words[1], timeline_.header().config.clock_hz);
    return cycle.ok() ? Arrived(timeline_.GoToCycleOf(index, *cycle)) : cycle.status();
  }
  if (words[0] != "instruction") return Wrong("goto cycle TIME cpu N, or instruction N cpu N");
  const absl::StatusOr<uint64_t> number = ParseCount(words[1], "instructions");
  return number.ok() ? Arrived(timeline_.GoToInstruction(*number, index)) : number.status();
}

MonitorCommands::Answer MonitorCommands::Checkpoint(const Words&) {
  if (checkpoints_.size() == kMaxKept) return Wrong("there are too many checkpoints already");
  const uint64_t number = next_checkpoint_++;
  checkpoints_[number] = timeline_.position();
  return absl::StrCat("checkpoint ", number, " at ", When());
}

MonitorCommands::Answer MonitorCommands::RestoreCheckpoint(const Words& words) {
  if (words.empty()) {
    std::string text;
    for (const auto& [number, place] : checkpoints_) {
      absl::StrAppend(&text, "checkpoint ", number, " at cycle ",
                      machine::WithSeconds(place.cycle, timeline_.header().config.clock_hz), "\n");
    }
    return text.empty() ? "there are no checkpoints\n" : text;
  }
  const absl::StatusOr<uint64_t> number = hostio::ParseNumber(words[0]);
  if (!number.ok()) return number.status();
  const auto found = checkpoints_.find(*number);
  if (found == checkpoints_.end()) return Wrong(absl::StrCat("there is no checkpoint ", *number));
  return Arrived(timeline_.GoToMoment(found->second.moment));
}

MonitorCommands::Answer MonitorCommands::StepHow(const Words& words) {
  if (!words.empty()) {
    if (words[0] != "flow" && words[0] != "exact") return Wrong("step flow or step exact");
    exact_steps_ = words[0] == "exact";
  }
  return exact_steps_ ? "steps are of one instruction, whatever it is of\n"
                      : "steps stay with one flow of control\n";
}

absl::StatusOr<uint64_t> MonitorCommands::Address(const std::string& word) const {
  const absl::StatusOr<NamedPlace> place = symbols_.Find(word, /*code=*/false);
  if (!place.ok()) return place.status();
  return place->address;
}

MonitorCommands::Answer MonitorCommands::Watch(const Words& words) {
  const std::string usage = "watch phys ADDRESS SIZE r, w or a";
  if (words.size() != 4 || words[0] != "phys") return Wrong(usage);
  const absl::StatusOr<uint64_t> begin = hostio::ParseNumber(words[1]);
  if (!begin.ok()) return begin.status();
  const absl::StatusOr<uint64_t> size = hostio::ParseNumber(words[2]);
  if (!size.ok()) return size.status();
  if (*size == 0) return Wrong("nothing is watched: no bytes");
  if (*begin > alpha::kPhysicalMask || *size - 1 > alpha::kPhysicalMask - *begin) {
    return Wrong("physical addresses have 44 bits");
  }
  alpha::StopRange range;
  range.space = alpha::StopRange::Space::kPhysical;
  range.begin = *begin;
  range.size = *size;
  range.reads = words[3] == "r" || words[3] == "a";
  range.writes = words[3] == "w" || words[3] == "a";
  if (!range.reads && !range.writes) return Wrong(usage);
  if (watches_.size() == kMaxKept) return Wrong("there are too many watches already");
  watches_.push_back(range);
  return absl::StrFormat("%d: %s of %d bytes at physical %#x\n", watches_.size(),
                         words[3] == "a" ? "accesses"
                         : range.reads   ? "reads"
                                         : "writes",
                         range.size, range.begin);
}

MonitorCommands::Answer MonitorCommands::Unwatch(const Words& words) {
  if (words.empty()) {
    watches_.clear();
    return "no physical memory is watched\n";
  }
  const absl::StatusOr<uint64_t> number = hostio::ParseNumber(words[0]);
  if (!number.ok()) return number.status();
  // Numbers stay what they are: a range of no bytes is never met.
  if (*number == 0 || *number > watches_.size()) {
    return Wrong(absl::StrCat("there is no watch ", *number));
  }
  watches_[*number - 1].size = 0;
  return absl::StrCat(*number, " is no longer watched\n");
}

MonitorCommands::Answer MonitorCommands::StopAt(const Words& words) {
  if (words.empty()) return StopHelpText();
  if (words[0] != "delete") {
    absl::StatusOr<Stop> stop = StopNamed(rest_, symbols_);
    if (!stop.ok()) return stop.status();
    const std::string name = stop->name;
    const absl::StatusOr<uint64_t> number = stops_.Add(*std::move(stop));
    if (!number.ok()) return number.status();
    return absl::StrCat(*number, ": ", name, "\n");
  }
  if (words.size() != 2) return Wrong("stop delete N or stop delete all");
  if (words[1] == "all") {
    stops_.DeleteAll();
    return "there are no stops\n";
  }
  const absl::StatusOr<uint64_t> number = hostio::ParseNumber(words[1]);
  if (!number.ok()) return number.status();
  if (!stops_.Delete(*number)) return Wrong(absl::StrCat("there is no stop ", *number));
  return absl::StrCat(*number, " is no longer stopped at\n");
}

MonitorCommands::Answer MonitorCommands::ListStops(const Words&) {
  return stops_.empty() ? "there are no stops\n" : stops_.List();
}

MonitorCommands::Answer MonitorCommands::Physical(const Words& words) {
  if (words.empty() || words.size() > 2) return Wrong("xp ADDRESS [COUNT]");
  const absl::StatusOr<uint64_t> address = hostio::ParseNumber(words[0]);
  if (!address.ok()) return address.status();
  const absl::StatusOr<uint64_t> count =
      words.size() == 2 ? hostio::ParseNumber(words[1]) : uint64_t{1};
  if (!count.ok()) return count.status();
  std::string text;
  for (uint64_t i = 0; i < std::min(*count, kMaxQuadwords); ++i) {
    const std::optional<uint64_t> value =
        ReadQuadword(timeline_.machine(), *address + i * sizeof(uint64_t));
    if (!value.has_value()) {
      if (i == 0) return Wrong(absl::StrFormat("%#x is no aligned quadword of RAM", *address));
      break;
    }
    if (i % 2 == 0) absl::StrAppendFormat(&text, "%s%#011x:", i == 0 ? "" : "\n", *address + i * 8);
    absl::StrAppendFormat(&text, " %#018x", *value);
  }
  return absl::StrCat(text, "\n");
}

MonitorCommands::Answer MonitorCommands::Translate(const Words& words) {
  if (words.size() != 1) return Wrong("translate ADDRESS");
  const absl::StatusOr<uint64_t> va = Address(words[0]);
  if (!va.ok()) return va.status();
  const std::optional<Place> place = FindPlace(timeline_.machine(), cpu_, *va);
  if (!place.has_value()) return absl::StrFormat("%#x is not mapped\n", *va);
  std::string text =
      absl::StrFormat("%#x is physical %#x by %s", *va, place->pa, PlaceByName(place->by));
  if (place->by == Place::By::kPageTables) absl::StrAppendFormat(&text, ", PTE %#x", place->pte);
  return absl::StrCat(text, "\n");
}

MonitorCommands::Answer MonitorCommands::Tlbs(const Words& words) {
  if (!words.empty() && words[0] != "all") return Wrong("tlb [all]");
  std::optional<uint8_t> itb_asn = cpu().asn;
  std::optional<uint8_t> dtb_asn = cpu().dtb_asn;
  if (!words.empty()) itb_asn = dtb_asn = std::nullopt;
  std::string text = absl::StrFormat("%sASN %d\n", CpuHeading(), cpu().asn);
  DescribeTlb("ITB", cpu().itb, itb_asn, text);
  DescribeTlb("DTB", cpu().dtb, dtb_asn, text);
  return text;
}

MonitorCommands::Answer MonitorCommands::Iprs(const Words&) {
  const std::string name_of_cpu = absl::StrCat("cpu", cpu_);
  alpha::StateLister lister(name_of_cpu);
  timeline_.machine().VisitWithoutMemory(lister);
  std::string text = CpuHeading();
  for (const alpha::StateField& field : lister.fields()) {
    const std::string_view name = std::string_view(field.path).substr(name_of_cpu.size() + 1);
    // gdb shows these itself, or `tlb` does.
    bool elsewhere = false;
    for (const std::string_view part : {"r[", "f[", "itb[", "itb.", "dtb[", "dtb."}) {
      elsewhere = elsewhere || name.starts_with(part);
    }
    if (elsewhere) continue;
    absl::StrAppendFormat(&text, "%-20s %#x\n", absl::string_view(name.data(), name.size()),
                          field.value);
  }
  return text;
}

MonitorCommands::Answer MonitorCommands::Branch(const Words& words) {
  if (words.size() != 1) return Wrong("branch LOG");
  if (timeline_.is_live()) return Wrong("this is a run of its own already");
  if (!brancher_) return Wrong("there is nobody to write the new log");
  if (absl::Status status = stops_.PrepareLive(); !status.ok()) return status;
  if (absl::Status status = brancher_(words[0]); !status.ok()) return status;
  stops_.BecomeLive();
  return absl::StrCat("from here on it is a run of its own, recorded to ", words[0], "; ", When());
}

MonitorCommands::Answer MonitorCommands::Console(const Words& words) {
  if (!words.empty() && words[0] != "serial1") return Wrong("console [serial1]");
  const uint8_t uart = words.empty() ? 0 : 1;
  const uint64_t here = several() ? timeline_.machine().device_time() : timeline_.position().cycle;
  std::string bytes;
  const absl::Status status = timeline_.ReadEvents([&](const replaylog::Event& event) {
    if (event.cycle > here) return false;
    const auto* output = std::get_if<replaylog::OutputRun>(&event.body);
    if (output == nullptr || output->uart != uart) return true;
    uint64_t cycle = event.cycle;
    for (size_t i = 0; i < output->bytes.size() && cycle <= here; ++i) {
      bytes.push_back(output->bytes[i]);
      if (i < output->deltas.size()) cycle += output->deltas[i];
    }
    return true;
  });
  if (!status.ok()) return status;
  return bytes.empty() ? "nothing has been written\n" : Printable(std::move(bytes));
}

MonitorCommands::Answer MonitorCommands::Events(const Words& words) {
  uint64_t around = kEventsAround;
  if (!words.empty()) {
    const absl::StatusOr<uint64_t> number = hostio::ParseNumber(words[0]);
    if (!number.ok()) return number.status();
    around = std::min(*number, kMaxEvents);
  }
  const uint64_t next = timeline_.position().event;
  const uint64_t first = next - std::min(next, around);
  std::string before = absl::StrCat(replaylog::EventTableHeading(), "\n");
  std::string behind;
  const absl::Status status = timeline_.ReadEventsFrom(first, [&](const replaylog::Event& event) {
    if (event.number >= next + around) return false;
    absl::StrAppend(event.number < next ? &before : &behind,
                    replaylog::DescribeEvent(event, timeline_.header().config.clock_hz), "\n");
    return true;
  });
  if (!status.ok()) return status;
  return absl::StrCat(before, "--- here\n", behind);
}

MonitorCommands::Answer MonitorCommands::Stats(const Words&) {
  const alpha::CpuCounters& counters = cpu().counters;
  const timeline::MemorySnapshots& snapshots = timeline_.memory_snapshots();
  return absl::StrCat(CpuHeading(), "instructions ", cpu().instructions, "\nITB misses   ",
                      counters.itb_misses, "\nDTB misses   ", counters.dtb_misses,
                      "\nexceptions   ", counters.exceptions, "\ninterrupts   ",
                      counters.interrupts, "\nCALL_PALs    ", counters.pal_calls, "\nsnapshots    ",
                      snapshots.count(), " in ", snapshots.bytes() >> 20, " MiB\n");
}

}  // namespace isochron::debug
