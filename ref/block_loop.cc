#include "ref/block_loop.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "alpha/performance.h"
#include "ref/decode_block.h"
#include "ref/fetch.h"
#include "ref/superinstructions.h"

namespace isochron::ref {

using alpha::Cpu;

namespace {

// Tags of fetches share their low bits with DataContext(): PALmode has two of its own.
constexpr uint64_t kPalTag = 1;
constexpr uint64_t kPalShadowTag = 3;

// What a fetch depends on beside the page.
uint64_t FetchContext(const Cpu& cpu) {
  switch (ModeOf(cpu)) {
    case DecodeMode::kNative: return DataContext(cpu.asn, cpu.mode);
    case DecodeMode::kPal: return kPalTag;
    case DecodeMode::kPalShadow: return kPalShadowTag;
  }
  return FetchLookaside::kNoTag;
}

// Has a block end before one of its operations, which is not the first, as long as this lives: no
// longer than the block, which lasts until what was dropped is collected.
class EarlyEnd {
 public:
  EarlyEnd(Block& block, uint32_t end) {
    const uint32_t first = end - std::min(end, kLongestSuperinstruction - 1);
    changed_ = {block.operations() + first, block.operations() + end + 1};
    for (size_t i = 0; i < changed_.size(); ++i) {
      handlers_[i] = changed_[i].handler;
      changed_[i].handler = HandlerBeforeJoining(handlers_[i]);
    }
    changed_.back().handler = LeaveBlockHandler();
  }
  ~EarlyEnd() {
    for (size_t i = 0; i < changed_.size(); ++i) changed_[i].handler = handlers_[i];
  }
  EarlyEnd(const EarlyEnd&) = delete;
  EarlyEnd& operator=(const EarlyEnd&) = delete;

 private:
  std::span<Operation> changed_;
  std::array<Handler, kLongestSuperinstruction> handlers_;
};

uint64_t FetchTag(const Cpu& cpu) { return (cpu.pc & ~alpha::kPageMask) | FetchContext(cpu); }

}  // namespace

BlockLoop::BlockLoop(alpha::Memory& memory, alpha::IoBus& io)
    : memory_(memory), io_(io), runner_(nullptr), cache_(memory) {
  own_.push_back(std::make_unique<CpuView>(memory, io));
  views_ = {view_ = own_.front().get()};
  memory_.AddListener(*this);
}

BlockLoop::BlockLoop(alpha::Memory& memory, alpha::IoBus& io, BlockRunner& runner,
                     SpinDetector spin, CpuView& first)
    : memory_(memory),
      io_(io),
      runner_(&runner),
      views_({&first}),
      view_(&first),
      cache_(memory),
      spin_(spin) {
  memory_.AddListener(*this);
}

BlockLoop::~BlockLoop() { memory_.RemoveListener(*this); }

alpha::RunResult BlockLoop::Run(Cpu& cpu, alpha::Deadline& deadline) {
  Serve(cpu);
  TellOfReferences(deadline.ranges);
  const bool tells = deadline.sink != nullptr;
  if (deadline.pcs != nullptr) {
    KeepClearOf(*deadline.pcs);
    return tells ? Loop<true, true>(cpu, deadline) : Loop<true, false>(cpu, deadline);
  }
  view_->clear_of.clear();
  return tells ? Loop<false, true>(cpu, deadline) : Loop<false, false>(cpu, deadline);
}

void BlockLoop::TurnTo(uint32_t index) {
  if (index >= views_.size()) views_.resize(index + 1);
  if (views_[index] == nullptr) {
    own_.push_back(runner_ == nullptr ? std::make_unique<CpuView>(memory_, io_)
                                      : runner_->MakeView(memory_, io_));
    own_.back()->context.lookaside.Limit(view_->context.lookaside.index_mask() + 1);
    views_[index] = own_.back().get();
  }
  view_ = views_[index];
  cpu_index_ = index;
}

template <typename Lose>
void BlockLoop::ForOthers(Lose lose) {
  for (CpuView* view : views_) {
    if (view != nullptr && view != view_) lose(*view);
  }
}

void BlockLoop::KeepClearOf(const alpha::StopPcs& pcs) {
  if (view_->clear_of == pcs.pcs()) return;
  view_->clear_of = pcs.pcs();
  ForgetItsFetches();
}

void BlockLoop::TellOfReferences(alpha::StopRanges* ranges) {
  view_->context.ranges = ranges;
  if (ranges == nullptr) return told_of_.clear();
  if (told_of_ == ranges->ranges()) return;
  told_of_ = ranges->ranges();
  LoseData();
}

[[gnu::always_inline]] inline Block* BlockLoop::NextBlock(Context& context, Cpu& cpu) {
  Block** const link = std::exchange(context.link, nullptr);
  if (link != nullptr && *link != nullptr) return *link;
  Block* const block = FindBlock(cpu);
  if (link != nullptr && block != nullptr && block->translation == nullptr) *link = block;
  return block;
}

template <bool kTellsSink>
[[gnu::always_inline]] inline void BlockLoop::Watch(Cpu& cpu, const Block& block, uint64_t limit,
                                                    const alpha::Deadline& deadline) {
  const uint64_t skipped = spin_.skipped_cycles();
  spin_.Observe(cpu, block, limit);
  if constexpr (kTellsSink) {
    if (spin_.skipped_cycles() == skipped) return;
    deadline.sink->Repeated(cpu, spin_.last_skipped().turns, spin_.last_skipped().instructions);
  }
}

template <bool kTellsSink>
[[gnu::always_inline]] inline void BlockLoop::ExecuteFor(Context& context, Cpu& cpu, Block& block,
                                                         const alpha::Deadline& deadline) {
  if constexpr (kTellsSink) {
    ExecuteNoted(context, cpu, block, *deadline.sink);
  } else {
    Execute(context, cpu, block);
  }
}

template <bool kTellsSink>
void BlockLoop::ExecutePart(Context& context, Cpu& cpu, Block& block, uint64_t limit, bool only_one,
                            const alpha::Deadline& deadline) {
  context.follow_until = 0;
  if (kTellsSink || only_one) {
    ExecuteFor<kTellsSink>(context, cpu, DecodeFirst(cpu, block), deadline);
  } else {
    const std::span<const uint16_t> cost_before = block.cost_before();
    const auto past = std::find_if(cost_before.begin() + 1, cost_before.end(),
                                   [&](uint16_t cost) { return cpu.cycle + cost >= limit; });
    const EarlyEnd end(block, static_cast<uint32_t>(past - cost_before.begin()));
    Execute(context, cpu, block);
  }
  context.link = nullptr;
}

template <bool kStopsAtPcs, bool kTellsSink>
alpha::RunResult BlockLoop::Loop(Cpu& cpu, alpha::Deadline& deadline) {
  Context& context = view_->context;
  context.data_context = DataContext(cpu.dtb_asn, cpu.mode);
  context.check_interrupts = true;
  context.link = nullptr;
  spin_.Disturb();
  if constexpr (kTellsSink) deadline.sink->Executed(cpu, {});
  uint64_t overflow = 0;  // before this cycle no performance counter can overflow
  while (cpu.cycle < deadline.cycle) {
    if (deadline.leave.load(std::memory_order_relaxed)) [[unlikely]]
      break;
    if (cpu.cycle >= overflow) [[unlikely]]
      context.check_interrupts = true;
    if (context.check_interrupts) {
      context.check_interrupts = false;
      spin_.Disturb();
      overflow = alpha::LatchOverflows(cpu);
      if (cpu.InterruptDeliverable()) break;
      if (deadline.ranges != nullptr && deadline.ranges->hit()) break;
    }
    const uint64_t limit = std::min(deadline.cycle, overflow);
    if (context.fetch_changed) [[unlikely]]
      ForgetItsFetches();
    if (cache_.has_dropped()) [[unlikely]]
      cache_.Collect();

    Block* const block = NextBlock(context, cpu);
    if (block == nullptr) {
      if constexpr (kTellsSink) deadline.sink->Executed(cpu, {});
      if (!fatal_.empty()) break;
      continue;
    }
    bool pc_inside = false;   // of a stop behind the first instruction of the block
    bool pc_in_page = false;  // translated code must not run there
    if constexpr (kStopsAtPcs) {
      if (deadline.pcs->At(cpu)) break;
      pc_inside = deadline.pcs->AnyIn(cpu.pc + 4, 4 * uint64_t{block->count - 1});
      pc_in_page = deadline.pcs->AnyInPageOf(cpu.pc);
    }
    Watch<kTellsSink>(cpu, *block, limit, deadline);
    context.deadline = limit;
    if (block->CrossesBoundaryAt(limit, cpu.cycle) || pc_inside) {
      ExecutePart<kTellsSink>(context, cpu, *block, limit, pc_inside, deadline);
    } else if (runner_ == nullptr || pc_in_page || !runner_->RunBlock(cpu, *block)) {
      const bool passes_loop = kTellsSink || kStopsAtPcs || spin_.watching();
      context.follow_until = passes_loop ? 0 : std::min(limit, cpu.cycle + kSlice);
      ExecuteFor<kTellsSink>(context, cpu, *block, deadline);
    }
    const bool cannot_go_on = context.machine_check && !EnterMachineCheck(context, cpu);
    if constexpr (kTellsSink) deadline.sink->Executed(cpu, std::exchange(notes_, {}));
    if (cannot_go_on) [[unlikely]]
      break;
  }
  alpha::LatchOverflows(cpu);
  return fatal_.empty() ? alpha::RunResult() : alpha::RunResult{alpha::StopReason::kFatal, fatal_};
}

bool BlockLoop::EnterMachineCheck(Context& context, Cpu& cpu) {
  context.machine_check = false;
  fatal_ = TakeMachineCheck(cpu, kAccessOutsideMemory, context.machine_check_pa);
  return fatal_.empty();
}

Block& BlockLoop::DecodeFirst(const Cpu& cpu, const Block& block) {
  DecodeOne(memory_.host(block.pa), block.pa, ModeOf(cpu), one_);
  return *one_;
}

void BlockLoop::NumberBlock(const Cpu& cpu, Block& block, alpha::ExecutionSink& sink) const {
  std::array<uint32_t, kMaxBlockLength> words;
  std::memcpy(words.data(), memory_.host(block.pa), block.count * sizeof(uint32_t));
  block.noted_pc = cpu.pc;
  block.note = sink.Number(cpu.pc, {words.data(), block.count});
  block.notes_stack_pointer = alpha::NotesStackPointer(alpha::Decode(words[block.count - 1]).op);
}

void BlockLoop::ExecuteNoted(Context& context, Cpu& cpu, Block& block, alpha::ExecutionSink& sink) {
  if (block.noted_pc != cpu.pc) NumberBlock(cpu, block, sink);
  const bool notes_stack_pointer = block.notes_stack_pointer;
  const uint64_t whole = cpu.instructions + block.count;
  note_[0] = block.note;
  Execute(context, cpu, block);  // after which it may be gone
  const bool with_stack_pointer = notes_stack_pointer && cpu.instructions == whole;
  if (with_stack_pointer) {
    note_[1] = static_cast<uint32_t>(cpu.r[alpha::kStackPointer]);
    note_[2] = static_cast<uint32_t>(cpu.r[alpha::kStackPointer] >> 32);
  }
  notes_ = std::span(note_).first(with_stack_pointer ? 3 : 1);
}

Block* BlockLoop::FindBlock(Cpu& cpu) {
  CpuView& view = *view_;
  const uint64_t tag = FetchTag(cpu);
  // A runner is to see every block that a jump leads to.
  if (runner_ == nullptr) view.context.fetch_context = tag & alpha::kPageMask;
  view.page = view.context.fetches.Find(tag);
  if (view.page == nullptr) view.page = FindPage(cpu, tag);
  if (view.page == nullptr) return nullptr;
  if (Block* block = view.page->Find(cpu.pc)) return block;
  bool newly_code = false;
  Block* block = cache_.Get(view.page, cpu.pc, newly_code);
  if (newly_code) LoseWrites();
  return block;
}

CodePage* BlockLoop::FindPage(Cpu& cpu, uint64_t tag) {
  uint64_t pa = 0;
  if (!TranslatePc(cpu, pa)) return nullptr;
  if (!memory_.Contains(pa)) {
    fatal_ = TakeMachineCheck(cpu, kFetchOutsideMemory, pa);
    return nullptr;
  }
  if (cache_.IsFull()) DropBlocks();
  CodePage* const page = cache_.Page(pa, ModeOf(cpu));
  view_->context.fetches.Add(tag, page);
  return page;
}

const CodePage* BlockLoop::KnownPage(const Cpu& cpu) const {
  if (cpu.index != cpu_index_) return nullptr;
  if (view_->context.fetch_changed) return nullptr;
  return view_->context.fetches.Find(FetchTag(cpu));
}

void BlockLoop::DropBlocks() {
  cache_.DropAll();
  ForgetFetches();
}

void BlockLoop::ForgetFetches() {
  ForOthers([](CpuView& view) { view.context.fetch_changed = true; });
  ForgetItsFetches();
}

void BlockLoop::ForgetItsFetches() {
  if (runner_ != nullptr) runner_->OnFetchesForgotten(*view_);
  view_->ForgetFetches();
}

void BlockLoop::OnCodeWritten(uint64_t pa, uint64_t size) {
  if (!cache_.OnCodeWritten(pa, size)) return;
  view_->context.code_written = true;
  view_->context.fetch_changed = true;
  ForOthers([](CpuView& view) { view.context.fetch_changed = true; });
}

void BlockLoop::OnLocked(uint64_t pa) {
  view_->LoseWritesTo(pa);
  ForOthers([pa](CpuView& view) { view.LoseWritesTo(pa); });
}

void BlockLoop::LoseWrites() {
  view_->context.lookaside.FlushWrites();
  ForOthers([](CpuView& view) { view.LoseWrites(); });
}

void BlockLoop::LoseData() {
  view_->context.lookaside.Flush();
  ForOthers([](CpuView& view) { view.LoseData(); });
}

void BlockLoop::Invalidate() {
  DropBlocks();
  cache_.Collect();
  ForgetCpus();
}

void BlockLoop::ForgetCpus() {
  ForgetFetches();
  LoseData();
  fatal_.clear();
}

void BlockLoop::AddTo(alpha::EngineStats& stats) const {
  cache_.AddTo(stats);
  stats.spin_cycles_skipped = spin_.skipped_cycles();
}

}  // namespace isochron::ref
