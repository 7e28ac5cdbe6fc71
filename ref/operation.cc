#include "ref/operation.h"

#include <array>
#include <new>

#include "alpha/instruction.h"
#include "ref/select.h"

namespace isochron::ref {
namespace {

using alpha::Format;
using alpha::Instruction;
using alpha::Op;

using Selector = Handler (*)(const Instruction&, Reuse);
constexpr std::array<Selector, alpha::kOpCount> kSelectors = {
#define ISOCHRON_INSTRUCTION(Name, ...) Select##Name,
#include "alpha/instructions.inc"
    SelectReserved,
};

}  // namespace

void FreeBlock::operator()(Block* block) const { ::operator delete(block, Block::kAlignment); }

Handler SelectHandler(const Instruction& instruction, Reuse reuse) {
  return kSelectors[static_cast<size_t>(instruction.op)](instruction, reuse);
}

bool EndsBlock(Op op) {
  switch (alpha::Info(op).format) {
    case Format::kBranch:
    case Format::kJump:
    case Format::kPal:
    case Format::kHwReturn: return true;
    default: return op == Op::kReserved;
  }
}

namespace {

// Loads of integers that do nothing else.
bool IsPlainLoad(Op op) {
  return op == Op::kLdbu || op == Op::kLdwu || op == Op::kLdl || op == Op::kLdq || op == Op::kLdqU;
}

}  // namespace

bool LeavesResult(Op op) {
  switch (alpha::Info(op).format) {
    case Format::kOperate: return true;
    case Format::kMemory: return alpha::Info(op).shape == alpha::Shape::kAddress || IsPlainLoad(op);
    default: return false;
  }
}

bool IsPure(Op op) {
  switch (alpha::Info(op).format) {
    case Format::kBranch:
    case Format::kOperate: return true;
    case Format::kJump: return true;
    case Format::kMemory: return alpha::Info(op).shape == alpha::Shape::kAddress || IsPlainLoad(op);
    case Format::kMisc: return op != Op::kRpcc && op != Op::kRc && op != Op::kRs;
    default: return false;
  }
}

}  // namespace isochron::ref
