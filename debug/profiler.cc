#include "debug/profiler.h"

#include <algorithm>
#include <utility>

#include "alpha/cost.h"
#include "alpha/decode.h"
#include "alpha/exceptions.h"
#include "debug/address_space.h"
#include "debug/osf_calls.h"

namespace isochron::debug {
namespace {

using alpha::Cpu;
using alpha::Op;

uint32_t CostOf(uint32_t word) {
  return alpha::InstructionCost(alpha::Info(alpha::Decode(word).op).cost);
}

CallStacks::PalCall PalCallOf(uint32_t function) {
  using PalCall = CallStacks::PalCall;
  switch (function) {
    case osf::kCallsys: return PalCall::kSystemCall;
    case osf::kRetsys:
    case osf::kRti:
    case osf::kUrti: return PalCall::kReturn;
    case osf::kHalt:
    case osf::kSwppal: return PalCall::kRestart;
    default: return PalCall::kTrap;
  }
}

}  // namespace

Profiler::Profiler(const machine::Machine& machine, Functions& functions, std::optional<int> only)
    : machine_(machine), functions_(functions), only_(only) {
  for (int index = 0; index < machine.cpu_count(); ++index) {
    const Cpu& cpu = machine.cpu(index);
    seen_.push_back({.stacks = CallStacks(functions, tree_, sleepers_, Here(cpu)),
                     .instructions = cpu.instructions,
                     .cycle = cpu.cycle,
                     .pc = cpu.pc,
                     .exceptions = Exceptions(cpu),
                     .interrupts = cpu.counters.interrupts,
                     .asn = cpu.asn});
  }
}

bool Profiler::TurnTo(const Cpu& cpu) {
  now_ = &seen_[cpu.index];
  return status_.ok() && (!only_.has_value() || static_cast<uint32_t>(*only_) == cpu.index);
}

Counts Profiler::total() const {
  Counts total;
  for (const Seen& seen : seen_) total.Add(seen.total);
  return total;
}

void Profiler::CatchUp() {
  for (int cpu = 0; cpu < machine_.cpu_count(); ++cpu) Executed(machine_.cpu(cpu), {});
}

uint64_t Profiler::Exceptions(const Cpu& cpu) {
  return cpu.counters.itb_misses + cpu.counters.dtb_misses + cpu.counters.exceptions;
}

CallStacks::Place Profiler::Here(const Cpu& cpu) const {
  return {cpu.pc, cpu.r[alpha::kStackPointer], LevelOf(cpu),
          ProcessControlBlock(machine_, static_cast<int>(cpu.index))};
}

Profiler::End Profiler::EndOf(uint32_t word) {
  const alpha::Instruction instruction = alpha::Decode(word);
  const bool links = instruction.ra != 31;
  switch (instruction.op) {
    case Op::kBsr: return links ? End::kCall : End::kJump;
    case Op::kJsr: return links ? End::kCall : End::kJump;
    case Op::kJmp: return End::kJump;
    case Op::kRet: return End::kReturn;
    case Op::kJsrCoroutine: return links ? End::kCoroutine : End::kReturn;
    case Op::kCallPal: return End::kCallPal;
    case Op::kHwRet: return End::kPalReturn;
    default: return End::kPlain;
  }
}

uint32_t Profiler::Number(uint64_t pc, std::span<const uint32_t> words) {
  const auto [last, is_new] = by_pc_.try_emplace(pc, kNoPiece);
  for (uint32_t piece = last->second; piece != kNoPiece; piece = origins_[piece].next) {
    if (pieces_[piece].count == words.size() &&
        std::equal(words.begin(), words.end(), words_.begin() + origins_[piece].words)) {
      return piece;
    }
  }
  if (pieces_.size() >= kMaxPieces) {
    status_ = absl::ResourceExhaustedError("the guest executes too much code of its own making");
    return 0;
  }
  const uint32_t piece = Make(pc, words);
  origins_[piece].next = std::exchange(by_pc_[pc], piece);
  return piece;
}

uint32_t Profiler::Make(uint64_t pc, std::span<const uint32_t> words) {
  Piece piece;
  PieceOrigin origin;
  piece.pc = pc;
  piece.count = static_cast<uint32_t>(words.size());
  for (const uint32_t word : words) piece.cost += CostOf(word);
  piece.function = functions_.At(pc);
  piece.end = EndOf(words.back());
  piece.notes_stack_pointer = alpha::NotesStackPointer(alpha::Decode(words.back()).op);
  // The code of a function is in one piece, as a rule.
  if (functions_.At(piece.end_pc() - 4) != piece.function) {
    origin.split = Split(pc, words);
    piece.function = kSplit;
  }
  origin.words = static_cast<uint32_t>(words_.size());
  words_.insert(words_.end(), words.begin(), words.end());
  pieces_.push_back(piece);
  origins_.push_back(origin);
  return static_cast<uint32_t>(pieces_.size() - 1);
}

uint32_t Profiler::Split(uint64_t pc, std::span<const uint32_t> words) {
  std::vector<uint32_t> parts;
  for (size_t begin = 0; begin < words.size();) {
    const uint32_t function = functions_.At(pc + 4 * begin);
    size_t end = begin + 1;
    while (end < words.size() && functions_.At(pc + 4 * end) == function) ++end;
    parts.push_back(Number(pc + 4 * begin, words.subspan(begin, end - begin)));
    begin = end;
  }
  splits_.push_back(std::move(parts));
  return static_cast<uint32_t>(splits_.size());
}

uint32_t Profiler::Prefix(uint32_t piece, uint32_t count) {
  const auto begin = words_.begin() + origins_[piece].words;
  return Number(pieces_[piece].pc, std::vector<uint32_t>(begin, begin + count));
}

void Profiler::Count(uint32_t number) {
  Piece& piece = pieces_[number];
  now_->stacks.At(piece.pc, piece.function);
  ++piece.executions;
  AddTo(now_->stacks.node(), {piece.count, piece.cost});
}

void Profiler::AddTo(uint32_t number, const Counts& counts) {
  CallTree::Node& node = tree_[number];
  node.instructions += counts.instructions;
  node.cycles += counts.cycles;
  if (node.function == Functions::kIdle) {
    now_->by_mode.idle += counts.cycles;
    return;
  }
  switch (node.level) {
    case Level::kUser: now_->by_mode.user += counts.cycles; break;
    case Level::kKernel: now_->by_mode.kernel += counts.cycles; break;
    case Level::kPal: now_->by_mode.pal += counts.cycles; break;
  }
}

std::vector<uint32_t> Profiler::PartsOf(uint32_t number) const {
  const uint32_t split = origins_[number].split;
  return split == 0 ? std::vector<uint32_t>{number} : splits_[split - 1];
}

size_t Profiler::CountMany(std::span<const uint32_t> notes, Counts& left) {
  // What was executed in one node is added up before it is put there.
  Counts here;
  uint32_t function = now_->stacks.function();
  const auto put = [&] {
    AddTo(now_->stacks.node(), here);
    left.instructions -= here.instructions;
    left.cycles -= here.cycles;
    here = {};
  };
  size_t i = 0;
  while (i + 3 < notes.size()) {
    const uint32_t number = notes[i++];
    Piece& piece = pieces_[number];
    if (piece.function != function) {
      put();
      if (piece.function == kSplit) {
        for (const uint32_t part : PartsOf(number)) Count(part);
        left.instructions -= piece.count;
        left.cycles -= piece.cost;
      } else {
        now_->stacks.At(piece.pc, piece.function);
      }
      function = now_->stacks.function();
    }
    if (piece.function != kSplit) [[likely]] {
      ++piece.executions;
      here.instructions += piece.count;
      here.cycles += piece.cost;
    }
    if (piece.notes_stack_pointer) {
      Leave(piece, notes[i] | uint64_t{notes[i + 1]} << 32);
      i += 2;
      function = now_->stacks.function();
    }
  }
  put();
  return i;
}

void Profiler::Executed(const Cpu& cpu, std::span<const uint32_t> notes) {
  if (!TurnTo(cpu)) return;
  Counts left{cpu.instructions - now_->instructions, cpu.cycle - now_->cycle};
  now_->total.Add(left);
  now_->instructions = cpu.instructions;
  now_->cycle = cpu.cycle;
  if (notes.empty()) {
    NoteEntry(cpu, left.cycles);
    NoteElsewhere(cpu, left.cycles);
    return;
  }
  if (notes.size() > 3) now_->recents = 0;
  for (size_t i = CountMany(notes, left);;) {
    const uint32_t number = notes[i++];
    const Piece& piece = pieces_[number];
    const bool has_sp = piece.notes_stack_pointer && notes.size() - i >= 2;
    const uint64_t sp = has_sp ? notes[i] | uint64_t{notes[i + 1]} << 32 : 0;
    if (has_sp) i += 2;
    if (i == notes.size()) return CountLast(cpu, number, left, has_sp, sp);
    left.instructions -= piece.count;
    left.cycles -= piece.cost;
    for (const uint32_t part : PartsOf(number)) Count(part);
    if (has_sp) Leave(piece, sp);
  }
}

void Profiler::CountLast(const Cpu& cpu, uint32_t number, const Counts& left, bool has_sp,
                         uint64_t sp) {
  uint64_t extra = left.cycles;
  const bool whole = left.instructions == pieces_[number].count;
  uint64_t last_pc = pieces_[number].pc;
  if (left.instructions != 0) {
    if (!whole) number = Prefix(number, static_cast<uint32_t>(left.instructions));
    const Piece piece = pieces_[number];
    extra -= piece.cost;
    last_pc = piece.end_pc() - 4;
    for (const uint32_t part : PartsOf(number)) {
      Count(part);
      now_->recent[now_->recents++ % kRecent] = {part, now_->stacks.node()};
    }
    if (whole && has_sp) Leave(piece, sp);
    if (whole && piece.end == End::kCallPal) {
      CallStacks::Place from = Here(cpu);
      from.pc = piece.end_pc();
      now_->stacks.EnterByCall(
          from, cpu.pc, PalCallOf(words_[origins_[number].words + piece.count - 1] & 0x3ffffff));
    }
    if (whole && piece.end == End::kPalReturn) LeavePal(cpu);
  }
  const uint32_t node = now_->stacks.node();
  const bool entered = Exceptions(cpu) != now_->exceptions;
  const uint64_t entry = entered ? alpha::InstructionCost(alpha::CostClass::kPalEntry) : 0;
  if (extra > entry) {
    AddTo(node, {0, extra - entry});
    CountExtra(last_pc, extra - entry);
    extra = entry;
  }
  NoteEntry(cpu, extra);
  now_->pc = cpu.pc;
}

void Profiler::Leave(const Piece& piece, uint64_t sp) {
  switch (piece.end) {
    case End::kCall: return now_->stacks.Call(piece.end_pc(), sp);
    case End::kJump: return now_->stacks.Jump(sp);
    case End::kReturn: return now_->stacks.Return(sp);
    case End::kCoroutine: return now_->stacks.Coroutine(piece.end_pc(), sp);
    default: break;
  }
}

void Profiler::LeavePal(const Cpu& cpu) {
  now_->stacks.LeavePal(Here(cpu));
  if ((cpu.pc & 1) != 0 || cpu.asn == now_->asn) return;
  CloseAsn();
  now_->asn = cpu.asn;
}

void Profiler::CloseAsn() {
  const Counts& total = now_->total;
  by_asn_[now_->asn].Add(
      {total.instructions - now_->asn_since.instructions, total.cycles - now_->asn_since.cycles});
  now_->asn_since = total;
}

void Profiler::NoteEntry(const Cpu& cpu, uint64_t& cycles) {
  const bool interrupt = cpu.counters.interrupts != now_->interrupts;
  if (!interrupt && Exceptions(cpu) == now_->exceptions) return;
  now_->interrupts = cpu.counters.interrupts;
  now_->exceptions = Exceptions(cpu);
  CallStacks::Place from = Here(cpu);
  from.pc = cpu.exc_addr;
  const uint64_t entry =
      std::min<uint64_t>(cycles, alpha::InstructionCost(alpha::CostClass::kPalEntry));
  cycles -= entry;
  if (interrupt) {
    CountTime(Functions::kIdle, cycles);
    cycles = 0;
    now_->stacks.EnterByInterrupt(from, cpu.pc);
  } else {
    now_->stacks.EnterByException(from, cpu.pc);
  }
  AddTo(now_->stacks.node(), {0, entry});
  CountExtra(cpu.pc, entry);
  now_->pc = cpu.pc;
}

void Profiler::NoteElsewhere(const Cpu& cpu, uint64_t cycles) {
  const bool reset = cpu.pc != now_->pc;
  if (reset) {
    // Of all CPUs, which are told of one after the other: the first may have gone on since.
    if (std::exchange(reset_at_, cpu.cycle) != cpu.cycle) sleepers_.Clear();
    now_->stacks.Restart(Here(cpu));
    now_->exceptions = Exceptions(cpu);
    now_->interrupts = cpu.counters.interrupts;
  }
  CountTime(reset ? Functions::kReset : Functions::kIdle, cycles);
  now_->pc = cpu.pc;
}

void Profiler::CountTime(uint32_t label, uint64_t cycles) {
  if (cycles == 0) return;
  AddTo(tree_.Child(now_->stacks.node(), label, Level::kPal), {0, cycles});
}

void Profiler::CountExtra(uint64_t pc, uint64_t cycles) {
  if (cycles != 0) extra_[pc] += cycles;
}

void Profiler::Repeated(const Cpu& cpu, uint64_t turns, uint64_t instructions) {
  if (!TurnTo(cpu)) return;
  now_->total.Add({cpu.instructions - now_->instructions, cpu.cycle - now_->cycle});
  now_->instructions = cpu.instructions;
  now_->cycle = cpu.cycle;
  for (size_t i = now_->recents; instructions != 0; --i) {
    if (i == 0 || i + kRecent == now_->recents) {
      status_ = absl::InternalError("a loop that only waits is longer than anybody remembers");
      return;
    }
    const Recent& recent = now_->recent[(i - 1) % kRecent];
    Piece& piece = pieces_[recent.piece];
    instructions -= std::min<uint64_t>(instructions, piece.count);
    AddTo(recent.node, {turns * piece.count, turns * piece.cost});
    piece.executions += turns;
  }
}

void Profiler::Finish() {
  CatchUp();
  for (Seen& seen : seen_) {
    now_ = &seen;
    CloseAsn();
  }
  if (tree_.full())
    status_ = absl::ResourceExhaustedError("the guest has too many stacks of calls");
}

std::map<uint64_t, Counts> Profiler::ByPc() const {
  std::map<uint64_t, Counts> counts;
  for (size_t number = 0; number < pieces_.size(); ++number) {
    const Piece& piece = pieces_[number];
    if (piece.executions == 0) continue;
    const uint32_t* const words = words_.data() + origins_[number].words;
    for (uint32_t i = 0; i < piece.count; ++i) {
      counts[piece.pc + 4 * uint64_t{i}].Add(
          {piece.executions, piece.executions * CostOf(words[i])});
    }
  }
  for (const auto& [pc, cycles] : extra_) counts[pc].cycles += cycles;
  return counts;
}

}  // namespace isochron::debug
