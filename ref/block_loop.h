// The loop that finds blocks and runs them.

#ifndef ISOCHRON_REF_BLOCK_LOOP_H_
#define ISOCHRON_REF_BLOCK_LOOP_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/engine.h"
#include "alpha/execution_sink.h"
#include "alpha/memory.h"
#include "alpha/stop_pcs.h"
#include "alpha/stop_ranges.h"
#include "ref/block_cache.h"
#include "ref/context.h"
#include "ref/cpu_view.h"
#include "ref/spin_detector.h"

namespace isochron::ref {

// Runs blocks in another way than by interpreting them: the part of an engine that translates.
class BlockRunner {
 public:
  // Called before `block` is interpreted; it starts at cpu.pc, and no deadline falls before its
  // last instruction. Runs something from there in its place, to a boundary no later than
  // Context::deadline, and returns true; or does nothing and returns false.
  virtual bool RunBlock(alpha::Cpu& cpu, Block& block) = 0;
  // Everything derived from instruction translations of the CPU of `view` is stale, and nothing
  // that RunBlock() runs may go on in another page than it begins in but by way of the loop.
  virtual void OnFetchesForgotten(CpuView& view) = 0;
  // The view of a CPU that runs for the first time, when another has run before it.
  virtual std::unique_ptr<CpuView> MakeView(alpha::Memory& memory, alpha::IoBus& io) = 0;

 protected:
  ~BlockRunner() = default;
};

// Runs a CPU, block by block, to the boundaries that alpha::Engine promises. It finds the blocks
// (fetch translations and decoded blocks are remembered, and follow what is written to memory),
// steps where a boundary falls into one, skips loops that only wait, and looks for interrupts and
// machine checks. It runs any CPU, one at a time, each with a CpuView of its own; blocks, which are
// found by physical address, belong to them all.
//
// An engine has one: the interpreter as it is, the translating engine with a BlockRunner.
class BlockLoop final : private alpha::MemoryListener {
 public:
  // Listens to `memory`. All must outlive it.
  BlockLoop(alpha::Memory& memory, alpha::IoBus& io);
  // The same with a runner, and with the view of the first CPU; without one every block is
  // interpreted.
  BlockLoop(alpha::Memory& memory, alpha::IoBus& io, BlockRunner& runner, SpinDetector spin,
            CpuView& first);
  ~BlockLoop() override;
  BlockLoop(const BlockLoop&) = delete;
  BlockLoop& operator=(const BlockLoop&) = delete;

  // What alpha::Engine has under these names.
  alpha::RunResult Run(alpha::Cpu& cpu, alpha::Deadline& deadline);
  void Invalidate();
  void ForgetCpus();
  void AddTo(alpha::EngineStats& stats) const;

  // The rest is for the runner.
  //
  // Of the CPU that is served.
  CpuView& view() { return *view_; }
  Context& context() { return view_->context; }
  // While it watches the guest, a runner is to do nothing.
  SpinDetector& spin() { return spin_; }
  // Where the block that RunBlock() is given was found.
  CodePage* page() { return view_->page; }
  // Executes `block`, which has one instruction and need not be the loop's.
  void ExecuteOne(alpha::Cpu& cpu, Block& block) {
    Context& context = view_->context;
    context.follow_until = 0;
    Execute(context, cpu, block);
    context.link = nullptr;
  }
  // Turns to this CPU, and makes good what has happened to memory since it was served last. Run()
  // does that itself.
  void Serve(const alpha::Cpu& cpu) {
    if (cpu.index != cpu_index_) [[unlikely]]
      TurnTo(cpu.index);
    if (view_->is_behind()) [[unlikely]]
      view_->CatchUp();
  }
  // What a fault does (jit/planted_bugs.h): the CPU does not learn of pages that it may no longer
  // write to at once because another one has a lock there.
  void ForgetLocked(const alpha::Cpu& cpu) {
    if (cpu.index < views_.size() && views_[cpu.index] != nullptr) {
      views_[cpu.index]->ForgetLocked();
    }
  }
  // Drops every block.
  void DropBlocks();
  // Forgets where any CPU fetches from.
  void ForgetFetches();
  // Finds or decodes the block at cpu.pc. nullptr when an exception has been entered instead or the
  // CPU, which is the one that is served, cannot go on.
  Block* FindBlock(alpha::Cpu& cpu);
  // Has FindBlock(), which has found one at cpu.pc, find a block of at most `limit` instructions
  // there from now on.
  void ShortenBlock(const alpha::Cpu& cpu, int limit) {
    cache_.Shorten(view_->page, cpu.pc, limit);
  }
  // What Deadline::sink is to be told of that RunBlock() has run; empty until this is called. It is
  // looked at before the next call of RunBlock().
  void SetNotes(std::span<const uint32_t> notes) { notes_ = notes; }
  // Where the block at cpu.pc would be found without asking the TLB; nullptr: not known.
  const CodePage* KnownPage(const alpha::Cpu& cpu) const;

 private:
  // Cycles in which blocks follow one another past the loop.
  static constexpr uint64_t kSlice = 512;

  // Run(), with Deadline::pcs and Deadline::sink or without.
  template <bool kStopsAtPcs, bool kTellsSink>
  alpha::RunResult Loop(alpha::Cpu& cpu, alpha::Deadline& deadline);
  // The block at cpu.pc; nullptr as of FindBlock().
  Block* NextBlock(Context& context, alpha::Cpu& cpu);
  void TurnTo(uint32_t index);
  // Calls `lose` with the view of each CPU that is not served.
  template <typename Lose>
  void ForOthers(Lose lose);
  // Has the spin detector see a block before it is run.
  template <bool kTellsSink>
  void Watch(alpha::Cpu& cpu, const Block& block, uint64_t limit, const alpha::Deadline& deadline);
  // Sees to it that nothing leads past the loop into a page that has one of the PCs.
  void KeepClearOf(const alpha::StopPcs& pcs);
  // Sees to it that these are told of every reference to their pages; nullptr: nobody is.
  void TellOfReferences(alpha::StopRanges* ranges);
  CodePage* FindPage(alpha::Cpu& cpu, uint64_t tag);
  static void Execute(Context& context, alpha::Cpu& cpu, Block& block) {
    context.block = &block;
    const Operation* first = block.operations();
    first->handler(context, first, cpu, 0);
  }
  // Execute(), and what the sink is to be told of it.
  template <bool kTellsSink>
  void ExecuteFor(Context& context, alpha::Cpu& cpu, Block& block, const alpha::Deadline& deadline);
  // Takes the machine check that is due. False when the CPU cannot go on.
  bool EnterMachineCheck(Context& context, alpha::Cpu& cpu);
  // Decodes the first instruction of `block`, which is at cpu.pc and would cross the deadline.
  Block& DecodeFirst(const alpha::Cpu& cpu, const Block& block);
  // Executes what of `block` starts before `limit`, which is not all of it, or at least the first
  // instruction of that; `only_one`: no more.
  template <bool kTellsSink>
  void ExecutePart(Context& context, alpha::Cpu& cpu, Block& block, uint64_t limit, bool only_one,
                   const alpha::Deadline& deadline);
  // Execute() of a block that `sink` is then to be told of.
  void ExecuteNoted(Context& context, alpha::Cpu& cpu, Block& block, alpha::ExecutionSink& sink);
  // How `sink` calls it where the CPU stands.
  void NumberBlock(const alpha::Cpu& cpu, Block& block, alpha::ExecutionSink& sink) const;
  // Forgets where the CPU that is served fetches from.
  void ForgetItsFetches();

  void OnCodeWritten(uint64_t pa, uint64_t size) override;
  void OnDirtyCleared() override { LoseWrites(); }
  void OnLocked(uint64_t pa) override;
  // Every store must be announced again.
  void LoseWrites();
  // Data must be translated again.
  void LoseData();

  alpha::Memory& memory_;
  alpha::IoBus& io_;
  BlockRunner* const runner_;
  std::vector<std::unique_ptr<CpuView>> own_;
  std::vector<CpuView*> views_;  // by Cpu::index; nullptr: that CPU has not run yet
  CpuView* view_;                // of the CPU that is served
  uint32_t cpu_index_ = 0;       // its number
  BlockCache cache_;
  SpinDetector spin_;
  BlockPtr one_;                           // what DecodeFirst() has decoded
  std::array<uint32_t, 3> note_{};         // of the block that ExecuteNoted() has executed
  std::span<const uint32_t> notes_;        // what the sink is to be told of next
  std::vector<alpha::StopRange> told_of_;  // the ranges of the last TellOfReferences()
  std::string fatal_;                      // not empty: the CPU cannot go on
};

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_BLOCK_LOOP_H_
