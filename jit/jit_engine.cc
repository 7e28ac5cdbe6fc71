#include "jit/jit_engine.h"

#include <algorithm>
#include <utility>

#include "alpha/fpcr.h"
#include "alpha/translate.h"
#include "jit/access_groups.h"
#include "ref/decode_block.h"

namespace isochron::jit {

using alpha::Cpu;

namespace {

constexpr uint64_t kPageOfPc = ~alpha::kPageMask | 1;

}  // namespace

JitEngine::JitEngine(alpha::Memory& memory, alpha::IoBus& io, CodeMemory code,
                     const Options& options)
    : memory_(memory),
      first_(memory, io),
      loop_(memory, io, *this, ref::SpinDetector(kSpinRest), first_),
      translator_(frame_, first_, memory, std::move(code), options) {
  frame_.run_golden = RunGoldenThunk;
  frame_.memory_base = reinterpret_cast<uint64_t>(memory.host(0));
  frame_.kseg_addend = frame_.memory_base - frame_.kseg_base;
  frame_.memory_marks = reinterpret_cast<uint64_t>(memory.marks());
  first_.context.lookaside.Limit(options.lookaside_entries);
}

absl::Status JitEngine::Start(const Options& options) {
  enter_ = EmitThunks(translator_.code(), frame_, this);
  if (enter_ == nullptr) return absl::InternalError("engine jit cannot assemble its first code");
  translator_.KeepWhatIsThere();
  if (options.perf_map.empty()) return absl::OkStatus();
  return translator_.MapForPerf(options.perf_map);
}

alpha::RunResult JitEngine::Run(Cpu& cpu, alpha::Deadline& deadline) {
  const auto scope = bug_.Run();
  left_by_ = nullptr;
  TurnTo(cpu);
  // The golden functions alone tell of references; what the lookaside does not have is theirs.
  const bool physical = deadline.ranges != nullptr && deadline.ranges->any_physical();
  frame_.memory_size = physical ? 0 : memory_.size();
  watched_ = deadline.ranges != nullptr;
  if (deadline.sink != sink_) MakeNotesFor(deadline.sink);
  if (std::exchange(enter_at_once_, false)) {
    loop_.spin().Rest();
  } else if (translator_.several_cpus()) {
    return RunTurn(cpu, deadline);
  } else {
    loop_.spin().LookSoon();
  }
  return loop_.Run(cpu, deadline);
}

alpha::RunResult JitEngine::RunTurn(Cpu& cpu, alpha::Deadline& deadline) {
  CpuTables& tables = *tables_;
  goes_on_ = cpu.pc == tables.left_at;
  const bool looks = tables.turns_before_look == 0;
  const uint64_t skipped = loop_.spin().skipped_cycles();
  if (looks) {
    loop_.spin().LookSoon();
  } else {
    --tables.turns_before_look;
    loop_.spin().Rest();
  }
  stale_turns_.Begin(cpu.index, loop_.context().fetch_changed, translator_.flushes());
  alpha::RunResult result = loop_.Run(cpu, deadline);
  tables.left_at = cpu.pc;
  stale_turns_.End(cpu.index, translator_.flushes());
  if (looks && loop_.spin().skipped_cycles() == skipped) tables.turns_before_look = kTurnsUnwatched;
  return result;
}

void JitEngine::TurnTo(const Cpu& cpu) {
  if (Planted(Bug::kLockOutlivesStore)) loop_.ForgetLocked(cpu);
  loop_.Serve(cpu);
  tables_ = static_cast<CpuTables*>(&loop_.view());
  frame_.stack = tables_->bases;
}

std::unique_ptr<ref::CpuView> JitEngine::MakeView(alpha::Memory& memory, alpha::IoBus& io) {
  // Code for one CPU alone is of no use to several.
  loop_.DropBlocks();
  translator_.DropAll();
  auto tables = std::make_unique<CpuTables>(memory, io);
  translator_.AddCpu(*tables);
  return tables;
}

void JitEngine::MakeNotesFor(alpha::ExecutionSink* sink) {
  sink_ = sink;
  loop_.DropBlocks();
  translator_.DropAll();
  translator_.SetSink(sink);
  if (sink != nullptr) notes_.resize(kNotes);
}

bool JitEngine::RunBlock(Cpu& cpu, ref::Block& block) {
  ExitSlot* const left_by = std::exchange(left_by_, nullptr);
  const bool goes_on = std::exchange(goes_on_, false);
  if (loop_.spin().watching()) return false;
  const uint64_t flushes = translator_.flushes();
  // Mostly it was left in the middle of a block: a place where only turns begin is not worth a
  // translation.
  if (goes_on && block.translation == nullptr) return false;
  const Translation* translation = TranslationOf(cpu, block);
  if (translation == nullptr) {
    // After a flush the block is a dropped one, which must not run: it would not see stores to
    // its code, and a link of it would be remembered. The loop finds the new one.
    return translator_.flushes() != flushes;
  }
  if (translation->uses_float && !cpu.fp_enable) return false;
  const uint64_t most = sink_ == nullptr ? kSlice : kNotedSlice;
  const uint64_t slice = std::min(loop_.context().deadline - cpu.cycle, most);
  if (slice < translation->needed) return false;

  RefreshFrame(cpu);
  LinkTo(cpu, *translation, left_by);
  frame_.slice_end = cpu.cycle + slice;
  frame_.instruction_base = cpu.instructions + Budget::kInstructionMask;
  frame_.next_note = notes_.data();
  left_by_ = enter_(translation->code, &cpu, Budget::Whole(slice));
  ++entries_;
  if (left_by_ != nullptr) ++unlinked_exits_;
  if (sink_ != nullptr) loop_.SetNotes({notes_.data(), frame_.next_note});
  // A full slice may be a loop that only waits.
  if (slice == most && frame_.slice_end - cpu.cycle < slice / 2) loop_.spin().LookSoon();
  return true;
}

const Translation* JitEngine::TranslationOf(const Cpu& cpu, ref::Block& block) {
  const auto* translation = static_cast<const Translation*>(block.translation);
  const bool here = translation != nullptr && (translation->virtual_page == (cpu.pc & kPageOfPc) ||
                                               Planted(Bug::kAliasIgnored));
  if (here) return translation;
  if (++block.samples < translator_.threshold()) return nullptr;
  block.samples = 0;
  switch (translator_.Translate(*loop_.page(), cpu.pc)) {
    case Translator::Outcome::kDone: return static_cast<const Translation*>(block.translation);
    case Translator::Outcome::kFull:
      loop_.DropBlocks();
      translator_.DropAll();
      return nullptr;
    case Translator::Outcome::kImpossible: return nullptr;
  }
  return nullptr;
}

void JitEngine::LinkTo(const Cpu& cpu, const Translation& translation, ExitSlot* left_by) {
  const uint64_t* page_key = &JumpEntry::kNoKey;
  const uint64_t key = KeyOf(cpu, page_key);
  if (key == JumpEntry::kNoKey) return;
  const bool anywhere = Planted(Bug::kExitLinkedAnywhere);
  if (left_by != nullptr && (left_by->target == cpu.pc || anywhere)) {
    translator_.Link(*tables_, *left_by, translation.code, key);
  }
  tables_->JumpTo(cpu.pc) = {cpu.pc, key, translation.code, page_key};
}

uint64_t JitEngine::KeyOf(const Cpu& cpu, const uint64_t*& page_key) {
  const FetchClass fetch = FetchClassOf(cpu.pc);
  const uint64_t context = frame_.FetchContext(fetch);
  if (fetch == FetchClass::kPal) return context;
  if (fetch == FetchClass::kSuperpage) {
    const bool enabled = (cpu.i_ctl >> alpha::i_ctl::kSpeShift & 2) != 0;
    return enabled ? context : JumpEntry::kNoKey;
  }
  const uint64_t page = cpu.pc & ~alpha::kPageMask;
  ref::FetchLookaside::Entry& entry = loop_.context().fetches.at(page);
  if (entry.tag != (page | ref::DataContext(cpu.asn, cpu.mode))) return JumpEntry::kNoKey;
  if (entry.key == 0) {
    entry.key = entry.page->NameAt(page, names_) << kFetchKeyShift | context;
  }
  page_key = &entry.key;
  return entry.key & ~alpha::kPageMask;
}

void JitEngine::RefreshFrame(const Cpu& cpu) {
  const bool shadow = (cpu.i_ctl & alpha::i_ctl::kShadowEnable) != 0;
  const uint8_t asn = Planted(Bug::kAsnNotInContext) ? 0 : cpu.asn;
  const uint64_t generation = tables_->generation << 16;
  const auto mode = static_cast<uint64_t>(cpu.mode);
  frame_.FetchContext(FetchClass::kMapped) = ref::DataContext(asn, cpu.mode);
  frame_.FetchContext(FetchClass::kPal) = generation | (shadow ? 3 : 1);
  frame_.FetchContext(FetchClass::kSuperpage) = generation | mode << kSuperpageModeShift | 2;
  const bool superpages = (cpu.m_ctl >> 1 & 2) != 0 && !watched_;
  // A group of references that begins below the limit ends within RAM.
  static_assert(AccessGroups::kMaxSpan <= alpha::kPageSize);
  frame_.kseg_limit = superpages ? memory_.size() - alpha::kPageSize : 0;
  frame_.kseg_size = cpu.mode == alpha::Mode::kKernel ? frame_.kseg_limit : 0;
  frame_.kernel_context = ref::DataContext(cpu.dtb_asn, alpha::Mode::kKernel);
  frame_.look_for_inexact = (cpu.fpcr & alpha::fpcr::kInexact) == 0;
}

uint64_t JitEngine::RunGolden(Cpu& cpu, const Translation& place, uint32_t offset, int64_t budget) {
  cpu.cycle = frame_.slice_end - static_cast<uint64_t>(Budget::CyclesLeft(budget));
  cpu.instructions =
      frame_.instruction_base - static_cast<uint64_t>(budget & Budget::kInstructionMask);
  cpu.pc = place.virtual_page + offset;
  const uint64_t next = cpu.pc + 4;
  ref::Context& c = loop_.context();
  const bool fp_enable = cpu.fp_enable;
  const uint64_t data_context = c.data_context;
  const uint64_t late =
      Planted(Bug::kCountsAtSliceStart)
          ? cpu.instructions - (frame_.instruction_base - Budget::kInstructionMask)
          : 0;
  cpu.instructions -= late;
  loop_.ExecuteOne(cpu, GoldenBlock(place.physical_page + offset, place.mode));
  cpu.instructions += late;
  if (Planted(Bug::kStaleDataContext)) c.data_context = data_context;
  RefreshFrame(cpu);
  ++golden_calls_;
  // Regions with floating point are entered only while it is enabled.
  const bool disturbed = c.check_interrupts && !Planted(Bug::kIoDoesNotLeave);
  const bool refetch = (c.code_written || c.fetch_changed) && !Planted(Bug::kOldCodeGoesOn);
  const bool leave = refetch || disturbed || c.machine_check || cpu.fp_enable != fp_enable;
  if (!leave && cpu.pc == next) return Frame::kGoOn;
  if (!leave && cpu.pal_mode() && sink_ == nullptr) {
    const JumpEntry& handler = tables_->JumpTo(cpu.pc);
    if (handler.pc == cpu.pc && handler.key == frame_.FetchContext(FetchClass::kPal)) {
      frame_.budget = Budget::Of(static_cast<int64_t>(frame_.slice_end - cpu.cycle),
                                 static_cast<int64_t>(frame_.instruction_base - cpu.instructions));
      return reinterpret_cast<uint64_t>(handler.code);
    }
  }
  ++golden_exits_;
  return Frame::kLeave;
}

ref::Block& JitEngine::GoldenBlock(uint64_t pa, ref::DecodeMode mode) {
  Golden& golden = golden_[(pa >> 2) % kGolden];
  auto word = memory_.Load<uint32_t>(pa);
  if (Planted(Bug::kGoldenOutlivesCode) && golden.pa == pa) word = golden.word;
  if (golden.pa != pa || golden.word != word || golden.mode != mode) {
    golden.pa = pa;
    golden.word = word;
    golden.mode = mode;
    ref::DecodeOne(memory_.host(pa), pa, mode, golden.block);
  }
  return *golden.block;
}

bool JitEngine::TranslateAtMost(Cpu& cpu, uint32_t instructions) {
  const auto scope = bug_.Run();
  enter_at_once_ = true;
  if (instructions == 0) return false;
  // Looking for the block must not enter an exception.
  if (!cpu.pal_mode() &&
      alpha::TranslateFetch(cpu, cpu.pc & ~uint64_t{3}).status != alpha::TranslationStatus::kOk) {
    return false;
  }
  TurnTo(cpu);
  if (loop_.context().fetch_changed) loop_.ForgetFetches();
  if (loop_.FindBlock(cpu) == nullptr) return false;
  // The rest of the block must not keep a deadline behind these instructions from running them.
  loop_.ShortenBlock(cpu, static_cast<int>(std::min(instructions, uint32_t{ref::kMaxBlockLength})));
  // Links and remembered jumps lead to what was there.
  loop_.page()->ForgetNames();
  loop_.ForgetFetches();
  return translator_.Translate(*loop_.page(), cpu.pc, instructions) == Translator::Outcome::kDone;
}

std::string JitEngine::DescribeCode(const Cpu& cpu) const {
  const auto scope = bug_.Run();
  const ref::CodePage* page = loop_.KnownPage(cpu);
  return page == nullptr ? std::string() : translator_.Describe(*page, cpu.pc);
}

void JitEngine::OnFetchesForgotten(ref::CpuView& view) {
  const bool by_others = stale_turns_.TakeOthersWrote() && Planted(Bug::kCodeOutlivesOther);
  const bool outlive = by_others || Planted(Bug::kLinksOutliveCode);
  if (!outlive) {
    ++static_cast<CpuTables&>(view).generation;
    view.context.fetches.ForgetKeys();
  }
  left_by_ = nullptr;
}

alpha::EngineStats JitEngine::stats() const {
  alpha::EngineStats stats;
  loop_.AddTo(stats);
  return stats;
}

alpha::TranslationStats JitEngine::translation_stats() const {
  alpha::TranslationStats stats;
  translator_.AddTo(stats);
  stats.entries = entries_;
  stats.unlinked_exits = unlinked_exits_;
  stats.golden_exits = golden_exits_;
  stats.other_exits = entries_ - unlinked_exits_ - golden_exits_;
  stats.golden_calls = golden_calls_;
  return stats;
}

absl::StatusOr<std::unique_ptr<alpha::Engine>> CreateEngine(alpha::Memory& memory, alpha::IoBus& io,
                                                            const Options& options) {
  absl::StatusOr<CodeMemory> code = CodeMemory::Create(options.code_bytes);
  if (!code.ok()) return code.status();
  std::unique_ptr<JitEngine> engine(new (std::nothrow)
                                        JitEngine(memory, io, *std::move(code), options));
  if (engine == nullptr) {
    return absl::InternalError(
        "the host gives no memory below 2 GiB for engine jit; --engine ref needs none");
  }
  if (absl::Status status = engine->Start(options); !status.ok()) return status;
  return engine;
}

}  // namespace isochron::jit
