#include "debug/questions.h"

#include "debug/query_kinds.h"

namespace isochron::debug {

const std::vector<QuestionKind>& QuestionKinds() {
  static const std::vector<QuestionKind> kinds = {
      {"writes", "ADDRESS", "who wrote to memory, and what was there before"},
      {"reads", "ADDRESS", "who read from memory"},
      {"last-write", "ADDRESS", "who wrote to memory last, before --before"},
      {"executions", "PC",
       "when an instruction was executed, with a function's arguments and result"},
      {"exceptions", "", "exceptions that the operating system was told of"},
      {"interrupts", "", "interrupts, with what they were"},
      {"syscalls", "", "system calls, with arguments, result and how long they took"},
      {"tlb-misses", "", "references that missed a TLB"},
      {"switches", "", "context switches"},
  };
  return kinds;
}

absl::StatusOr<std::unique_ptr<Query>> MakeQuery(const Question& question, const Symbols& symbols,
                                                 const machine::Machine& machine) {
  if (question.what == "writes" || question.what == "reads" || question.what == "last-write") {
    const absl::StatusOr<MemoryPlace> place = FindMemory(question.place, symbols, machine);
    if (!place.ok()) return place.status();
    return MakeMemoryQuery(*place, question.what != "reads", symbols);
  }
  if (question.what == "executions") {
    const absl::StatusOr<CodePlace> place = FindCode(question.place, symbols);
    if (!place.ok()) return place.status();
    return MakeExecutionQuery(*place, symbols);
  }
  if (question.what == "exceptions") return MakeExceptionQuery(symbols);
  if (question.what == "interrupts") return MakeInterruptQuery(symbols);
  if (question.what == "syscalls") return MakeSystemCallQuery(symbols);
  if (question.what == "tlb-misses") return MakeTlbMissQuery(symbols);
  if (question.what == "switches") return MakeSwitchQuery(symbols);
  return absl::InvalidArgumentError("no such question");
}

}  // namespace isochron::debug
