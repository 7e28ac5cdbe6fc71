// A small machine for sequences: a CPU, some RAM and a bus that surprises, on any engine.

#ifndef ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_MACHINE_H_
#define ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_MACHINE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "alpha/cpu.h"
#include "alpha/engine.h"
#include "alpha/memory.h"
#include "conformance/sequences/sequence.h"
#include "engines/engines.h"
#include "machine/events/digest.h"
#include "machine/stop_condition.h"

namespace isochron::conformance {

// Registers of the CPU, some of its IPRs and its PC as the sequence has them; the rest stays.
void SetRegisters(const Sequence& sequence, alpha::Cpu& cpu);
// Fills and segments of the sequence.
void LoadMemory(const Sequence& sequence, alpha::Memory& memory);

// The bus's answers are a function of address, data and cycle, so that an access at a wrong
// cycle shows. Writes to kIo may raise pins, move the deadline or change memory, code included.
class SequenceMachine final : private alpha::IoBus {
 public:
  SequenceMachine(const Sequence& sequence, const machine::EngineFactory& factory);
  SequenceMachine(const SequenceMachine&) = delete;
  SequenceMachine& operator=(const SequenceMachine&) = delete;

  // Runs until the condition is met, as Machine::RunUntil() does, or until the guest stops. There
  // are no events to stop at.
  void RunUntil(const machine::StopCondition& condition);
  void RunTo(uint64_t cycle) { RunUntil(machine::StopCondition::AtCycle(cycle)); }
  // The guest wrote to kStop or cannot go on.
  bool stopped() const { return stopped_; }
  // Why the guest cannot go on; empty when it can.
  const std::string& fatal() const { return fatal_; }

  const alpha::Cpu& cpu() const { return cpu_; }
  const alpha::Memory& memory() const { return memory_; }
  alpha::Engine& engine() { return *engine_; }
  // As Machine has them.
  void TranslateAtMost(uint32_t instructions);
  std::string DescribeCode() const;

  // The CPU's state and what the bus has seen, as bytes: equal for equal histories.
  std::string State() const { return alpha::StateBytes(*this); }
  void VisitState(alpha::StateVisitor& visitor) const;
  // The digest of RAM by dirty marks, which are then clear.
  machine::Digest UpdateMemoryDigest() { return memory_digest_.Update(); }
  // The same whatever the marks say. Differs from the last Update() when a page has changed
  // without a mark.
  machine::Digest RecomputeMemoryDigest() const { return memory_digest_.Recompute(); }

 private:
  struct alignas(alpha::kPageSize) Page {
    uint8_t bytes[alpha::kPageSize] = {};
  };

  void Load(const Sequence& sequence);
  alpha::IoResult Read(alpha::Cpu& cpu, uint64_t pa, int size) override;
  alpha::IoResult Write(alpha::Cpu& cpu, uint64_t pa, int size, uint64_t data) override;
  // Notes the access and gives a number that depends on all of it.
  uint64_t Note(const alpha::Cpu& cpu, uint64_t pa, int size, uint64_t data);
  void Surprise(alpha::Cpu& cpu, uint64_t mixed);

  std::vector<Page> pages_;
  alpha::Memory memory_;
  alpha::Cpu cpu_;
  alpha::Deadline deadline_;
  std::unique_ptr<alpha::Engine> engine_;
  machine::MemoryDigest memory_digest_;
  bool stopped_ = false;
  std::string fatal_;
  uint64_t accesses_ = 0;
  uint64_t access_hash_ = 0;
};

}  // namespace isochron::conformance

#endif  // ISOCHRON_CONFORMANCE_SEQUENCES_SEQUENCE_MACHINE_H_
