#include "ref/context.h"

namespace isochron::ref {

using alpha::Cpu;

namespace {

bool Misaligned(uint64_t va, int size) { return (va & static_cast<uint64_t>(size - 1)) != 0; }

uint64_t LoadRam(const alpha::Memory& memory, uint64_t pa, int size) {
  switch (size) {
    case 1: return memory.Load<uint8_t>(pa);
    case 2: return memory.Load<uint16_t>(pa);
    case 4: return memory.Load<uint32_t>(pa);
    default: return memory.Load<uint64_t>(pa);
  }
}

void StoreRam(alpha::Memory& memory, uint64_t pa, int size, uint64_t value) {
  switch (size) {
    case 1: return memory.Store(pa, static_cast<uint8_t>(value));
    case 2: return memory.Store(pa, static_cast<uint16_t>(value));
    case 4: return memory.Store(pa, static_cast<uint32_t>(value));
    default: return memory.Store(pa, value);
  }
}

// The same with the check of alignment that all but PALcode's own references get.
bool TranslateAligned(Context& context, const Operation* op, Cpu& cpu, uint64_t va, int size,
                      alpha::DataAccess access, uint64_t& pa) {
  if (Misaligned(va, size)) {
    const alpha::DataFault fault =
        DescribeFault(context, op, va, access == alpha::DataAccess::kWrite);
    LeaveBefore(context, op, cpu);
    alpha::EnterUnaligned(cpu, fault);
    return false;
  }
  return TranslateOrFault(context, op, cpu, va, {access, cpu.mode}, pa);
}

// Settles an access to I/O space that was made at the exact cycle of `op`. One that nothing
// answered completes, too: the machine check that follows is an interrupt (HRM table 6-8).
AccessResult FinishIo(Context& context, Cpu& cpu, const alpha::IoResult& result, uint64_t pa) {
  cpu.cycle += result.cycles;
  context.check_interrupts = true;
  if (result.nonexistent) {
    context.machine_check = true;
    context.machine_check_pa = pa;
  }
  return AccessResult::kLeave;
}

}  // namespace

alpha::DataFault DescribeFault(const Context& context, const Operation* op, uint64_t va,
                               bool write) {
  const uint32_t word = WordOf(context, op);
  alpha::DataFault fault;
  fault.va = va;
  fault.write = write;
  fault.opcode = static_cast<uint8_t>(word >> 26);
  // HW_LD and HW_ST (opcodes 0x1b and 0x1f) are shown as 3 and 7 (HRM table 5-18).
  if (fault.opcode == 0x1b || fault.opcode == 0x1f) fault.opcode &= 7;
  fault.reg = word >> 21 & 31;
  return fault;
}

bool TranslateOrFault(Context& context, const Operation* op, Cpu& cpu, uint64_t va,
                      const Reference& reference, uint64_t& pa) {
  const alpha::Translation translation =
      alpha::TranslateData(cpu, va, reference.access, reference.mode);
  if (translation.status == alpha::TranslationStatus::kOk) {
    pa = translation.pa;
    return true;
  }
  alpha::DataFault fault =
      DescribeFault(context, op, va, reference.access == alpha::DataAccess::kWrite);
  fault.vpte = reference.vpte;
  LeaveBefore(context, op, cpu);
  if (translation.status == alpha::TranslationStatus::kMiss) {
    alpha::EnterDtbMiss(cpu, fault);
  } else {
    alpha::EnterDataFault(cpu, fault, translation.mm_stat);
  }
  return false;
}

AccessResult ReadPhysical(Context& context, const Operation* op, Cpu& cpu, uint64_t pa, int size,
                          uint64_t& value) {
  if (context.memory.Contains(pa)) {
    value = LoadRam(context.memory, pa, size);
    return AccessResult::kDone;
  }
  const uint32_t before = context.block->cost_before()[IndexOf(context, op)];
  cpu.cycle += before;
  const alpha::IoResult result = context.io.Read(cpu, pa, size);
  cpu.cycle -= before;
  value = result.data;
  return FinishIo(context, cpu, result, pa);
}

AccessResult WritePhysical(Context& context, const Operation* op, Cpu& cpu, uint64_t pa, int size,
                           uint64_t value) {
  if (context.memory.Contains(pa)) {
    StoreRam(context.memory, pa, size, value);
    return context.code_written ? AccessResult::kLeave : AccessResult::kDone;
  }
  const uint32_t before = context.block->cost_before()[IndexOf(context, op)];
  cpu.cycle += before;
  const alpha::IoResult result = context.io.Write(cpu, pa, size, value);
  cpu.cycle -= before;
  return FinishIo(context, cpu, result, pa);
}

AccessResult TellOfReference(Context& context, const Operation* op, const Cpu& cpu,
                             const alpha::MemoryReference& reference, AccessResult result) {
  alpha::MemoryReference made = reference;
  made.pc = cpu.pc + 4 * uint64_t{IndexOf(context, op)};
  context.ranges->Note(made);
  if (!context.ranges->hit()) return result;
  context.check_interrupts = true;
  return AccessResult::kLeave;
}

void Remember(Context& context, uint64_t va, uint64_t pa, uint64_t data_context, bool writable) {
  if (!context.memory.Contains(pa)) return;
  if (context.ranges != nullptr && context.ranges->AnyInPage(va, pa)) return;
  context.lookaside.Add(va, data_context, context.memory.host(pa), writable);
}

AccessResult ReadSlowly(Context& context, const Operation* op, Cpu& cpu, uint64_t va, int size,
                        uint64_t& value) {
  uint64_t pa = 0;
  if (!TranslateAligned(context, op, cpu, va, size, alpha::DataAccess::kRead, pa)) {
    return AccessResult::kFault;
  }
  Remember(context, va, pa, context.data_context, false);
  const AccessResult result = ReadPhysical(context, op, cpu, pa, size, value);
  if (context.ranges == nullptr) [[likely]]
    return result;
  return TellOfReference(context, op, cpu, {va, pa, static_cast<uint64_t>(size), false, {}},
                         result);
}

AccessResult WriteSlowly(Context& context, const Operation* op, Cpu& cpu, uint64_t va, int size,
                         uint64_t value) {
  uint64_t pa = 0;
  if (!TranslateAligned(context, op, cpu, va, size, alpha::DataAccess::kWrite, pa)) {
    return AccessResult::kFault;
  }
  const AccessResult result = WritePhysical(context, op, cpu, pa, size, value);
  // Reads may be forbidden where writes are allowed, so only an entry that reads have made
  // becomes writable.
  if (context.memory.Contains(pa) && context.memory.IsPlain(pa) &&
      alpha::TranslateData(cpu, va, alpha::DataAccess::kRead, cpu.mode).status ==
          alpha::TranslationStatus::kOk) {
    Remember(context, va, pa, context.data_context, true);
  }
  if (context.ranges == nullptr) [[likely]]
    return result;
  return TellOfReference(context, op, cpu, {va, pa, static_cast<uint64_t>(size), true, {}}, result);
}

void RaiseOpcdec(Context& context, const Operation* op, Cpu& cpu) {
  LeaveBefore(context, op, cpu);
  alpha::EnterOpcdec(cpu);
}

void RaiseFpDisabled(Context& context, const Operation* op, Cpu& cpu) {
  LeaveBefore(context, op, cpu);
  alpha::EnterFpDisabled(cpu);
}

void RaiseArithmetic(Context& context, const Operation* op, Cpu& cpu, uint64_t summary) {
  const int reg = WordOf(context, op) & 31;
  LeaveAfter(context, op, cpu);
  cpu.pc -= 4;  // EXC_ADDR holds the instruction that trapped (HRM section 5.2.7)
  alpha::EnterArithmetic(cpu, summary, reg);
}

}  // namespace isochron::ref
