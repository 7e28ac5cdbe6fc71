#include "conformance/sequences/sequence_machine.h"

#include <cstring>

#include "alpha/encode.h"
#include "alpha/exceptions.h"
#include "alpha/fpcr.h"
#include "alpha/ipr.h"
#include "alpha/state_visitor.h"

namespace isochron::conformance {
namespace {

using Layout = SequenceLayout;

uint64_t Mix(uint64_t x) {
  x = (x ^ x >> 31) * 0x9e37'79b9'7f4a'7c15;
  x = (x ^ x >> 29) * 0xbf58'476d'1ce4'e5b9;
  return x ^ x >> 32;
}

}  // namespace

SequenceMachine::SequenceMachine(const Sequence& sequence, const machine::EngineFactory& factory)
    : pages_(Layout::kPages),
      memory_(pages_.front().bytes, Layout::kMemorySize),
      cpu_(0, static_cast<uint32_t>(sequence.tlb_entries),
           static_cast<uint32_t>(sequence.tlb_entries)),
      engine_(*factory(memory_, *this)),
      memory_digest_(memory_) {
  Load(sequence);
}

void SetRegisters(const Sequence& sequence, alpha::Cpu& cpu) {
  for (size_t i = 0; i < sequence.r.size(); ++i) cpu.r[i] = sequence.r[i];
  for (size_t i = 0; i < sequence.f.size(); ++i) cpu.f[i] = sequence.f[i];
  cpu.r[31] = cpu.f[31] = 0;
  cpu.pc = sequence.pc;
  cpu.fpcr = alpha::fpcr::Written(sequence.fpcr);
  cpu.ier = sequence.ier & alpha::interrupt::kEnableMask;
  cpu.i_ctl |= sequence.i_ctl;
  cpu.m_ctl = sequence.m_ctl;
  cpu.mode = static_cast<alpha::Mode>(sequence.mode & 3);
  cpu.asn = cpu.dtb_asn = static_cast<uint8_t>(sequence.asn);
  cpu.fp_enable = sequence.fp_enable != 0;
}

void LoadMemory(const Sequence& sequence, alpha::Memory& memory) {
  for (const Fill& fill : sequence.fills) {
    for (uint64_t offset = 0; offset < fill.size; offset += 8) {
      const uint64_t value = Mix(fill.seed + offset);
      memory.Write(fill.pa + offset, &value, sizeof value);
    }
  }
  for (const Segment& segment : sequence.segments) {
    memory.Write(segment.pa, segment.words.data(), 4 * segment.words.size());
  }
}

void SequenceMachine::Load(const Sequence& sequence) {
  LoadMemory(sequence, memory_);
  cpu_.Reset(Layout::kPalBase);
  SetRegisters(sequence, cpu_);
  engine_->Invalidate();
}

void SequenceMachine::RunUntil(const machine::StopCondition& condition) {
  machine::StopWatch watch(condition, cpu_);
  deadline_.pcs = watch.pcs(cpu_);
  deadline_.ranges = watch.ranges();
  if (watch.MetAlready(cpu_).any()) return;
  while (!stopped_) {
    deadline_.cycle = watch.RunLimit(cpu_);
    const alpha::RunResult result = engine_->Run(cpu_, deadline_);
    if (result.reason == alpha::StopReason::kFatal) {
      fatal_ = result.message.empty() ? "fatal" : result.message;
      stopped_ = true;
    }
    if (stopped_ || watch.Met(cpu_, memory_, true).any()) return;
    if (cpu_.InterruptDeliverable()) alpha::EnterInterrupt(cpu_);
  }
}

void SequenceMachine::TranslateAtMost(uint32_t instructions) {
  alpha::TranslationProbe* const probe = engine_->probe();
  if (probe != nullptr) probe->TranslateAtMost(cpu_, instructions);
}

std::string SequenceMachine::DescribeCode() const {
  const alpha::TranslationProbe* const probe = engine_->probe();
  return probe != nullptr ? probe->DescribeCode(cpu_) : std::string();
}

void SequenceMachine::VisitState(alpha::StateVisitor& visitor) const {
  visitor.Component("cpu", cpu_);
  visitor.Field("accesses", accesses_);
  visitor.Field("access_hash", access_hash_);
  visitor.Field("stopped", stopped_);
  visitor.Bytes("fatal", 0, fatal_.data(), fatal_.size());
}

uint64_t SequenceMachine::Note(const alpha::Cpu& cpu, uint64_t pa, int size, uint64_t data) {
  const uint64_t mixed =
      Mix(Mix(pa ^ static_cast<uint64_t>(size) << 56) ^ Mix(cpu.cycle + 1) ^ data);
  ++accesses_;
  access_hash_ = Mix(access_hash_ ^ mixed);
  return mixed;
}

alpha::IoResult SequenceMachine::Read(alpha::Cpu& cpu, uint64_t pa, int size) {
  const uint64_t mixed = Note(cpu, pa, size, 0);
  alpha::IoResult result;
  result.cycles = static_cast<uint32_t>(mixed % 97);
  result.nonexistent = (pa & ~alpha::kPageMask) == Layout::kNxm;
  if (!result.nonexistent) result.data = mixed >> (64 - 8 * size);
  return result;
}

alpha::IoResult SequenceMachine::Write(alpha::Cpu& cpu, uint64_t pa, int size, uint64_t data) {
  const uint64_t mixed = Note(cpu, pa, size, data);
  if (pa == Layout::kStop) {
    stopped_ = true;
    deadline_.MoveNearer(0);
    return {};
  }
  if (pa == Layout::kAcknowledge) {
    cpu.irq_pins = 0;
    return {};
  }
  alpha::IoResult result;
  result.cycles = static_cast<uint32_t>(mixed % 97);
  result.nonexistent = (pa & ~alpha::kPageMask) == Layout::kNxm;
  Surprise(cpu, mixed);
  return result;
}

void SequenceMachine::Surprise(alpha::Cpu& cpu, uint64_t mixed) {
  switch (mixed >> 16 & 7) {
    case 0: cpu.irq_pins = mixed >> 32 & 0x3f; break;
    case 1: deadline_.MoveNearer(cpu.cycle + (mixed >> 32 & 127)); break;
    case 2: {  // DMA into code
      const uint64_t target = Layout::kCode + (mixed >> 32 & 0x7ff) * 4;
      const uint32_t word = alpha::words::OperateLiteral(alpha::Op::kAddq, mixed >> 44 & 7,
                                                         mixed >> 50 & 255, mixed >> 47 & 7);
      memory_.Write(target, &word, sizeof word);
      break;
    }
    case 3: {  // DMA into data
      const uint64_t target = Layout::kData + (mixed >> 32 & (Layout::kDataSize / 8 - 1)) * 8;
      memory_.Write(target, &mixed, sizeof mixed);
      break;
    }
    default: break;
  }
}

}  // namespace isochron::conformance
