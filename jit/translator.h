// Turns hot blocks into translations and keeps the code cache.

#ifndef ISOCHRON_JIT_TRANSLATOR_H_
#define ISOCHRON_JIT_TRANSLATOR_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "alpha/engine.h"
#include "alpha/memory.h"
#include "jit/code_memory.h"
#include "jit/emitter.h"
#include "jit/engine.h"
#include "jit/frame.h"
#include "jit/perf_map.h"
#include "ref/code_page.h"
#include "ref/context.h"

namespace isochron::jit {

class Translator {
 public:
  // `tables` are those of the first CPU.
  Translator(Frame& frame, CpuTables& tables, alpha::Memory& memory, CodeMemory code,
             const Options& options)
      : setup_{frame, tables, options.features},
        memory_(memory),
        code_(std::move(code)),
        threshold_(options.threshold),
        clock_(options.clock) {}

  // Writes a perf map from now on.
  absl::Status MapForPerf(const std::string& path) { return perf_map_.Open(path); }
  // Has translations from now on make notes for it; nullptr: for nobody. Those that are there have
  // been dropped.
  void SetSink(alpha::ExecutionSink* sink) { setup_.sink = sink; }
  // Translates for several CPUs from now on, this one among them. What is there has been dropped.
  void AddCpu(CpuTables& tables) {
    setup_.several_cpus = true;
    others_.push_back(&tables);
  }
  bool several_cpus() const { return setup_.several_cpus; }
  // How it calls code outside PALmode.
  void NameForPerf(alpha::Engine::CodeNamer namer) { namer_ = std::move(namer); }

  CodeMemory& code() { return code_; }
  // Makes what is in the code memory now outlast DropAll().
  void KeepWhatIsThere() { kept_bytes_ = code_.used(); }
  uint32_t threshold() const { return threshold_; }

  enum class Outcome : uint8_t {
    kDone,        // the block at the pc has a translation
    kFull,        // the code cache is: DropAll() and drop all blocks
    kImpossible,  // the assembler refused
  };
  // Translates the region that is entered at `pc`, the address of a block of `page`. All
  // blocks in it that have no translation get one. With a `limit` only so many instructions
  // of that block are translated.
  Outcome Translate(ref::CodePage& page, uint64_t pc, uint32_t limit = 0);
  // Lists the block at `pc`, an address of `page`, as it would be translated now. Empty when it
  // cannot be.
  std::string Describe(const ref::CodePage& page, uint64_t pc) const;
  // Forgets all translations. No block may refer to one any more.
  void DropAll();
  // How often that has happened.
  uint64_t flushes() const { return flushes_; }

  // Lets the exit `left_by`, which is one `of` these tables, lead to `code` while `key` says so.
  void Link(const CpuTables& of, ExitSlot& left_by, const uint8_t* code, uint64_t key);
  void AddTo(alpha::TranslationStats& stats) const;

 private:
  void Publish(ref::CodePage& page, const Region& region, const Emitter& emitter,
               const Translation& place);

  EmitterSetup setup_;
  std::vector<CpuTables*> others_;  // of all CPUs but the first
  alpha::Memory& memory_;
  CodeMemory code_;
  uint32_t threshold_;
  std::function<uint64_t()> clock_;
  PerfMap perf_map_;
  alpha::Engine::CodeNamer namer_;
  size_t kept_bytes_ = 0;
  uint32_t slots_used_ = 0;
  std::deque<Translation> translations_;

  Outcome TranslateNow(ref::CodePage& page, uint64_t pc, uint32_t limit);

  uint64_t nanoseconds_ = 0;  // spent translating
  uint64_t regions_ = 0;
  uint64_t instructions_ = 0;
  uint64_t links_ = 0;
  uint64_t flushes_ = 0;
};

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_TRANSLATOR_H_
