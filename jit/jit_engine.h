// The engine: the loop of ref/block_loop.h, which runs translations where there are some.

#ifndef ISOCHRON_JIT_JIT_ENGINE_H_
#define ISOCHRON_JIT_JIT_ENGINE_H_

#include <cstdint>
#include <memory>
#include <new>
#include <vector>

#include "alpha/cpu.h"
#include "jit/code_memory.h"
#include "jit/cpu_tables.h"
#include "jit/engine.h"
#include "jit/frame.h"
#include "jit/planted_bugs.h"
#include "jit/thunks.h"
#include "jit/translator.h"
#include "ref/block_loop.h"

namespace isochron::jit {

// Lies below 2 GiB with all that translated code refers to.
class JitEngine final : public alpha::Engine,
                        private ref::BlockRunner,
                        private alpha::TranslationProbe {
 public:
  static void* operator new(size_t size, const std::nothrow_t&) noexcept {
    return AllocateLow(size);
  }
  static void operator delete(void* engine, size_t size) { FreeLow(engine, size); }
  static void operator delete(void* engine, const std::nothrow_t&) noexcept {
    FreeLow(engine, sizeof(JitEngine));
  }

  JitEngine(alpha::Memory& memory, alpha::IoBus& io, CodeMemory code, const Options& options);
  // Writes the shared code and opens the perf map. Internal when the assembler fails.
  absl::Status Start(const Options& options);

  alpha::RunResult Run(alpha::Cpu& cpu, alpha::Deadline& deadline) override;
  void Invalidate() override { loop_.Invalidate(); }
  void ForgetCpus() override { loop_.ForgetCpus(); }
  alpha::EngineStats stats() const override;
  void NameGuestCode(CodeNamer namer) override { translator_.NameForPerf(std::move(namer)); }
  alpha::TranslationProbe* probe() override { return this; }

 private:
  bool RunBlock(alpha::Cpu& cpu, ref::Block& block) override;
  void OnFetchesForgotten(ref::CpuView& view) override;
  std::unique_ptr<ref::CpuView> MakeView(alpha::Memory& memory, alpha::IoBus& io) override;
  bool TranslateAtMost(alpha::Cpu& cpu, uint32_t instructions) override;
  std::string DescribeCode(const alpha::Cpu& cpu) const override;
  alpha::TranslationStats translation_stats() const override;

  // Translated code comes back after so many cycles at the latest, so that the loop can look
  // whether the guest only waits.
  static constexpr uint64_t kSlice = Budget::kMaxCycles;
  // The same while Deadline::sink is told, whose notes then stay in the host's caches. A block,
  // which takes a cycle or more, makes three at most.
  static constexpr uint64_t kNotedSlice = uint64_t{1} << 16;
  static constexpr size_t kNotes = 3 * kNotedSlice;
  // Watching for loops that only wait is done when a run starts and when a slice ends.
  static constexpr uint32_t kSpinRest = uint32_t{1} << 30;
  // With several CPUs, a turn is too short to watch the beginning of each.
  static constexpr uint32_t kTurnsUnwatched = 15;

  // The translation to run from `block`; nullptr: interpret it.
  const Translation* TranslationOf(const alpha::Cpu& cpu, ref::Block& block);
  // Executes the one instruction at `offset` of the page of `place`, as Frame::run_golden says.
  uint64_t RunGolden(alpha::Cpu& cpu, const Translation& place, uint32_t offset, int64_t budget);
  static uint64_t RunGoldenThunk(JitEngine* engine, alpha::Cpu* cpu, const Translation* place,
                                 uint32_t offset, int64_t budget) {
    return engine->RunGolden(*cpu, *place, offset, budget);
  }
  // Run() of one CPU among several, which has a turn.
  alpha::RunResult RunTurn(alpha::Cpu& cpu, alpha::Deadline& deadline);
  // Serves the CPU, with its tables.
  void TurnTo(const alpha::Cpu& cpu);
  // Has translated code make notes for it, or for nobody, from now on.
  void MakeNotesFor(alpha::ExecutionSink* sink);
  // Brings what the frame derives from the CPU up to date.
  void RefreshFrame(const alpha::Cpu& cpu);
  // Lets the exit `left_by`, unless it is nullptr, and indirect jumps come here directly from now
  // on.
  void LinkTo(const alpha::Cpu& cpu, const Translation& translation, ExitSlot* left_by);
  // The key of cpu.pc, and for a mapped place where the key of its page is; kNoKey: nothing may
  // lead there but by way of the loop.
  uint64_t KeyOf(const alpha::Cpu& cpu, const uint64_t*& page_key);

  [[no_unique_address]] PlantedBug bug_;
  [[no_unique_address]] PlantedStaleTurns stale_turns_;
  alpha::Memory& memory_;
  CpuTables first_;              // of CPU 0
  CpuTables* tables_ = &first_;  // of the CPU that runs
  ref::BlockLoop loop_;
  Frame frame_;
  Translator translator_;
  EnterFunction enter_ = nullptr;
  ExitSlot* left_by_ = nullptr;  // the unlinked exit by which translated code was left last
  alpha::ExecutionSink* sink_ = nullptr;  // of Deadline, of the last run
  std::vector<uint32_t> notes_;           // kNotes of them once there was one
  bool watched_ = false;                  // references to memory are told of
  bool goes_on_ = false;                  // the turn begins where the CPU's last one ended
  bool enter_at_once_ = false;            // the next Run() need not look whether the guest waits
  // Instructions that RunGolden has executed, by physical address.
  struct Golden {
    uint64_t pa = ~uint64_t{0};
    uint32_t word = 0;
    ref::DecodeMode mode = ref::DecodeMode::kNative;
    ref::BlockPtr block;
  };
  static constexpr size_t kGolden = 1024;
  // The instruction at `pa`, decoded.
  ref::Block& GoldenBlock(uint64_t pa, ref::DecodeMode mode);
  std::vector<Golden> golden_{kGolden};
  uint64_t names_ = 0;  // of pages, that have been given out (ref::CodePage::NameAt)
  uint64_t entries_ = 0;
  uint64_t unlinked_exits_ = 0;
  uint64_t golden_exits_ = 0;
  uint64_t golden_calls_ = 0;
};

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_JIT_ENGINE_H_
