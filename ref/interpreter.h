// The loop that finds blocks and runs them.

#ifndef ISOCHRON_REF_INTERPRETER_H_
#define ISOCHRON_REF_INTERPRETER_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/engine.h"
#include "alpha/memory.h"
#include "alpha/stop_pcs.h"
#include "ref/block_cache.h"
#include "ref/context.h"
#include "ref/spin_detector.h"

namespace isochron::ref {

class Interpreter : public alpha::Engine, private alpha::MemoryListener {
 public:
  Interpreter(alpha::Memory& memory, alpha::IoBus& io, SpinDetector spin = SpinDetector());
  ~Interpreter() override;

  alpha::RunResult Run(alpha::Cpu& cpu, alpha::Deadline& deadline) override;
  void Invalidate() override;
  alpha::EngineStats stats() const override;

 protected:
  // What an engine that translates hot blocks adds to the loop. Called before `block` is
  // interpreted; it starts at cpu.pc and no deadline falls before its last instruction. Runs
  // something from there in its place and returns true, or does nothing and returns false.
  virtual bool RunTranslated(alpha::Cpu&, Block&) { return false; }
  // Everything derived from instruction translations is stale, and no code that was translated may
  // lead to other such code in another page but by way of RunTranslated().
  virtual void OnFetchesForgotten() {}

  alpha::Memory& memory() { return memory_; }
  Context& context() { return context_; }
  SpinDetector& spin() { return spin_; }
  // Where the block at the pc was found.
  CodePage* page() { return page_; }
  // Where the block at cpu.pc would be found without asking the TLB; nullptr: not known.
  const CodePage* KnownPage(const alpha::Cpu& cpu) const;
  // Drops every block.
  void DropBlocks();
  // Finds or decodes the block at cpu.pc. nullptr when an exception has been entered instead
  // or the CPU cannot go on.
  Block* FindBlock(alpha::Cpu& cpu);

 private:
  // Remembers which page a virtual page is fetched from: a subset of what ITB and superpages
  // allow.
  struct FetchEntry {
    uint64_t tag;
    CodePage* page;
  };
  static constexpr size_t kFetchEntries = 256;
  static constexpr int kChain = 32;

  // Run(), with Deadline::pcs or without.
  template <bool kStopsAtPcs>
  alpha::RunResult Loop(alpha::Cpu& cpu, alpha::Deadline& deadline);
  // Sees to it that nothing leads past the loop into a page that has one of the PCs.
  void KeepClearOf(const alpha::StopPcs& pcs);
  CodePage* FindPage(alpha::Cpu& cpu, uint64_t tag);
  void Execute(alpha::Cpu& cpu, Block& block);
  // Runs the one instruction at cpu.pc, of a block that would cross the deadline.
  void StepOne(alpha::Cpu& cpu);
  void ForgetFetches();

  void OnCodeWritten(uint64_t pa, uint64_t size) override;
  void OnDirtyCleared() override { context_.lookaside.FlushWrites(); }

  alpha::Memory& memory_;
  Context context_;
  BlockCache cache_;
  SpinDetector spin_;
  Block one_;                       // the instruction that StepOne() runs
  std::vector<uint64_t> clear_of_;  // the PCs of the last KeepClearOf(), while it holds
  std::string fatal_;               // not empty: the CPU cannot go on
  std::array<FetchEntry, kFetchEntries> fetches_;
  CodePage* page_ = nullptr;  // where `page_tag_` is fetched from
  uint64_t page_tag_ = 0;
};

}  // namespace isochron::ref

#endif  // ISOCHRON_REF_INTERPRETER_H_
