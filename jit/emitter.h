// From a region to x86-64.

#ifndef ISOCHRON_JIT_EMITTER_H_
#define ISOCHRON_JIT_EMITTER_H_

#include <cstdint>
#include <deque>
#include <type_traits>
#include <utility>
#include <vector>

#include "alpha/execution_sink.h"
#include "jit/access_groups.h"
#include "jit/assembler.h"
#include "jit/block_registers.h"
#include "jit/frame.h"
#include "jit/host_features.h"
#include "jit/list_code.h"
#include "jit/region.h"
#include "jit/register_map.h"
#include "ref/context.h"

namespace isochron::jit {

// What code is emitted against.
struct EmitterSetup {
  Frame& frame;
  // Of the only CPU; with several, of any: the code finds those of the CPU that runs.
  CpuTables& tables;
  HostFeatures features;
  bool several_cpus = false;
  // Who the code makes notes for; nullptr: nobody.
  alpha::ExecutionSink* sink = nullptr;
};

// Emits one region into a buffer. Each row of the instruction table has a member that emits
// it, Emit<Name>; one without does not link.
//
// Registers: RAX, RCX and RDX are free for each instruction. R13 points into the CPU
// (kCpuBias), R15 is the Budget as it will be at the end of the running block, RSP points into the
// CPU's tables (CpuTables::bases). XMM0 to XMM2 are free. All others belong to the RegisterMap.
//
// Whatever an instruction cannot do quickly it leaves to the golden function: it jumps to its
// slow path before it has changed anything, and the interpreter's handler does all of it.
class Emitter : private Assembler {
 public:
  // An upper bound of what a region of this size takes, in bytes.
  static size_t MaxBytes(const Region& region) {
    return 2048 + 512 * region.blocks.size() + 400 * size_t{region.instructions};
  }

  // And of the exit slots: every block has two exits at most.
  static uint32_t MaxSlots(const Region& region) {
    return static_cast<uint32_t>(2 * region.blocks.size());
  }

  // `buffer` has room for MaxBytes(region). Exits take slots from `slots` on; `place` holds
  // page and mode.
  Emitter(const EmitterSetup& setup, const Region& region, const Translation& place,
          uint8_t* buffer, const uint8_t* executable, ExitSlot* slots);

  // Notes in `marks` where the code of each block and instruction begins, from now on.
  void MarkCode(std::vector<CodeMark>* marks) { marks_ = marks; }

  // Emits everything. False when the assembler failed, and nothing must be used.
  bool Emit();

  size_t bytes() const { return getSize(); }
  uint32_t slots_used() const { return slots_used_; }
  // Where the block with this index is entered from outside: address for execution.
  const uint8_t* EntryOf(size_t block) const { return executable_ + entries_[block]; }
  const RegisterMap& map() const { return map_; }

 private:
  // The instruction being emitted, for its member.
  struct Site {
    const GuestInstruction& guest;
    const GuestBlock& block;
    uint32_t index;  // in the block
    bool literal() const { return guest.word.literal; }
    int32_t immediate() const { return static_cast<int32_t>(guest.word.immediate); }
    uint32_t offset() const { return block.start + 4 * index; }
  };
  using EmitFunction = void (Emitter::*)(const Site&);
  static EmitFunction FunctionOf(alpha::Op op);

#define ISOCHRON_INSTRUCTION(Name, ...) void Emit##Name(const Site& site);
#include "alpha/instructions.inc"
  void EmitReserved(const Site& site);

  // What floating point does out of line, and not by the golden function.
  struct FloatCold {
    enum class Kind : uint8_t {
      kZeroOperand,   // a number out of range: it may be a zero
      kZeroResult,    // the same, and it may be one by underflow
      kMayBeInexact,  // the FPCR does not have the bit for inexact
      kInexact,       // and now it must
    };
    explicit FloatCold(Kind kind) : kind(kind) {}
    Kind kind;
    Label start;
    Label resume;
    Label* slow = nullptr;  // of zeros
    int xmm = 0;
  };

  // --- Frame of a region (emitter.cc).
  void EmitBlock(size_t index);
  void EmitInstruction(const Site& site);
  void Mark(CodeMark::Kind kind, uint32_t offset, uint32_t word) {
    if (marks_ != nullptr) marks_->push_back({kind, PcOf(offset), word, getSize()});
  }
  size_t IndexOf(const GuestBlock& block) const {
    return static_cast<size_t>(&block - region_.blocks.data());
  }
  void EmitEntry(size_t index);
  void EmitBail(size_t index);
  void EmitUnlinked();
  void EmitSlowPaths();
  void LeaveUnlessNormal(uint32_t places);
  void EmitSubroutines();
  void EmitBails();
  void EmitGoldenCall();
  void ExitAt(uint32_t offset);
  void NoteBlock(const GuestBlock& block);
  void SaveWritten();
  void LoadAssigned();
  // Has those slots of AccessGroups, a bit each, say that they hold nothing. Changes RAX.
  void ForgetBases(uint32_t slots);

  // --- Operands (emitter.cc).
  // What lies below 2 GiB.
  static Xbyak::RegExp Low(const void* address) {
    return Xbyak::RegExp(reinterpret_cast<size_t>(address));
  }
  // What is at `address` of EmitterSetup::tables, in those of the CPU that runs.
  Xbyak::RegExp InTables(const void* address) const {
    if (!setup_.several_cpus) return Low(address);
    return Xbyak::util::rsp + static_cast<int>(static_cast<const char*>(address) -
                                               reinterpret_cast<const char*>(setup_.tables.bases));
  }
  static Xbyak::Reg64 Host64(int number) { return Xbyak::Reg64(number); }
  static Xbyak::RegExp InCpu(size_t offset) {
    return Xbyak::util::r13 +
           static_cast<int>(static_cast<int64_t>(offset) - static_cast<int64_t>(kCpuBias));
  }
  static Xbyak::RegExp IntegerField(int place) {
    return InCpu(offsetof(alpha::Cpu, r) + 8 * static_cast<size_t>(place));
  }
  static Xbyak::RegExp FloatField(int place) {
    return InCpu(offsetof(alpha::Cpu, f) + 8 * static_cast<size_t>(place));
  }
  // Whether a host register holds a place now, and which.
  bool InHost(int place) const { return HostNumber(place) != RegisterMap::kNone; }
  Xbyak::Reg64 HostOf(int place) const { return Host64(HostNumber(place)); }
  int HostNumber(int place) const {
    const int host = map_.integer(place);
    return host != RegisterMap::kNone ? host : copies_.Find(place);
  }
  void StoreCopies(const BlockRegisters::Copies& copies);
  // Loads a place into a copy when that is worth it.
  void Fetch(int place);
  // Calls `use` with the register or memory operand that holds a place. As for Read().
  template <typename Use>
  void With(int place, Use use) {
    Fetch(place);
    if (InHost(place)) {
      use(HostOf(place));
    } else {
      use(qword[IntegerField(place)]);
    }
  }
  // The same for its low half.
  template <typename Use>
  void WithLow(int place, Use use) {
    Fetch(place);
    if (InHost(place)) {
      use(HostOf(place).cvt32());
    } else {
      use(dword[IntegerField(place)]);
    }
  }
  // The register that holds a place: its own, or after a load a copy or `scratch`. To be
  // called where all ways through the instruction's code come by. May change flags.
  Xbyak::Reg64 Read(int place, const Xbyak::Reg64& scratch);
  // Copies a place to a register. May change flags.
  void Move(const Xbyak::Reg64& to, int place);
  // Where a result for a place is to be computed: its own register or `scratch`; Write() then
  // puts it in its place.
  Xbyak::Reg64 Target(int place, const Xbyak::Reg64& scratch);
  void Write(int place, const Xbyak::Reg64& from);
  // Operand B of an operate in a register. May change flags.
  Xbyak::Reg64 ReadB(const Site& site, const Xbyak::Reg64& scratch);
  void MoveB(const Site& site, const Xbyak::Reg64& to);

  // --- Ways out of the straight path (emit_control.cc).
  // Whether the instruction being emitted has a slow path by now.
  bool HasSlowPath(const Site& site) const;
  // The label of this instruction's slow path, which ends behind the instruction.
  Label& SlowPath(const Site& site);
  // Where that leads to, if anything of the instruction went there: called last.
  void Resume(const Site& site);
  // Has the golden function do the whole instruction.
  void EmitGolden(const Site& site);
  // Has it do an instruction that ends its block.
  void EmitGoldenEnd(const Site& site);
  // Goes to the block `index` of the region or, when that is kNoBlock, out to `target`, an
  // offset from the page's start.
  void GoTo(const GuestBlock& from, int index, int64_t target);
  // Where a conditional branch jumps to when it is taken.
  Label& TakenLabel(const Site& site);
  // Falls through to the next block.
  void NotTaken(const Site& site);
  // Code that leaves the region for `target`.
  Label& ExitTo(int64_t target);
  void EmitExit(int64_t target);
  enum class Sign : uint8_t { kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };
  void BranchOnSign(const Site& site, Sign sign);
  void BranchOnLowBit(const Site& site, bool set);
  void JumpIf(Sign sign, Label& label);
  uint64_t PcOf(int64_t offset) const {
    return place_.virtual_page + static_cast<uint64_t>(offset);
  }
  // Jumps to the guest PC in RAX. `to`: whether it is in PALmode; kEither: its bit 0 says.
  enum class JumpMode : uint8_t { kNative, kPal, kEither };
  void JumpIndirect(JumpMode to);
  // Goes to the place of which RCX says where CpuTables::jumps has it, if that may be followed.
  void JumpThere(FetchClass fetch, Label& miss);
  Xbyak::Address FetchContext(FetchClass fetch) const;
  bool InPal() const { return place_.mode != ref::DecodeMode::kNative; }
  JumpMode SameMode() const { return InPal() ? JumpMode::kPal : JumpMode::kNative; }
  void EmitLink(const Site& site);
  void NoteStackPointer();

  // --- Integer (emit_integer.cc).
  template <typename Operation>
  void Binary(const Site& site, bool commutative, Operation operation);
  template <typename Operation>
  void Binary32(const Site& site, Operation operation);
  template <typename Operation>
  void Overflow(const Site& site, bool longword, Operation operation);
  // x86 multiplies by an immediate in an instruction of its own.
  template <typename Register, typename B>
  void MultiplyBy(const Register& to, const B& b) {
    if constexpr (std::is_arithmetic_v<B>) {
      imul(to, to, b);
    } else {
      imul(to, b);
    }
  }
  void SignExtend(const Site& site, const Xbyak::Reg64& to, int place);
  void ScaledAdd(const Site& site, int scale, bool longword);
  void ScaledSubtract(const Site& site, int scale, bool longword);
  enum class Condition : uint8_t { kEqual, kLess, kLessEqual, kBelow, kBelowEqual };
  void Compare(const Site& site, Condition condition);
  template <typename Cmov>
  void ConditionalMove(const Site& site, bool low_bit, Cmov cmov);
  enum class ShiftKind : uint8_t { kLeft, kRight, kRightSigned };
  void ShiftBy(ShiftKind kind, const Xbyak::Reg64& reg, int count);
  void ShiftByCl(ShiftKind kind, const Xbyak::Reg64& reg);
  void Shift(const Site& site, ShiftKind kind);
  // Sets the flags for a test of Ra, or of its lowest bit.
  void Test(int place, bool low_bit);
  template <typename Count>
  void CountBits(const Site& site, bool supported, Count count);

  // --- Byte manipulation (emit_bytes.cc).
  // Shifts RAX or RDX by 8 * (Rbv & 7) bits; `high`: by 64 minus that, the other way.
  void ShiftByBytes(const Site& site, const Xbyak::Reg64& reg, bool left, bool high);
  // Clears all but the lowest bytes.
  void KeepBytes(const Xbyak::Reg64& reg, int bytes);
  void Extract(const Site& site, int bytes, bool high);
  void Insert(const Site& site, int bytes, bool high);
  void Mask(const Site& site, int bytes, bool high);
  void KeepZapnot(const Site& site, uint32_t keep);
  void KeepByRegister(const Site& site, bool complement);
  template <typename Operation>
  void Packed(const Site& site, Operation operation);
  // The same of operands and a result whose sign bits are the other way.
  template <typename Operation>
  void PackedSignedBytes(const Site& site, Operation operation);

  // --- Memory (emit_memory.cc).
  Xbyak::Reg64 EffectiveAddress(const Site& site, uint32_t align_mask);
  enum class Access : uint8_t { kRead, kWrite };
  // What is to be looked up at once, off some address.
  struct Range {
    int32_t low;   // of the lowest byte
    int32_t last;  // of the highest, rounded down to a multiple of `align`
    int32_t align;
    bool reads;
    bool writes;
  };
  static Range RangeOf(int bytes, Access access) {
    return {0, 0, bytes, access == Access::kRead, access == Access::kWrite};
  }
  bool IsMapped() const { return FetchClassOf(place_.virtual_page) == FetchClass::kMapped; }
  Xbyak::RegExp DataContext() const { return InTables(&setup_.tables.context.data_context); }
  static Xbyak::RegExp BaseSlot(int slot) {
    return Xbyak::util::rsp + slot * static_cast<int>(sizeof(uint64_t));
  }
  Xbyak::RegExp Locate(const Site& site);
  void FindBase(const Site& site, const AccessGroups::Member& member, bool masked,
                const Range& own);
  void EmitColdBases();
  void LookUp(const Site& site, const Xbyak::Reg64& address, int bytes, Access access);
  void LookUpTag(const Xbyak::Reg64& address, const Range& range, const Xbyak::RegExp& context,
                 Label& miss);
  void LookUpKseg(const Xbyak::Reg64& address, const Range& range, Label& outside, Label& slow);
  void EmitColdLookups();
  template <typename Use>
  void Load(const Site& site, Use use);
  template <typename Use>
  void Store(const Site& site, Use use);
  void Prefetch(const Site& site);

  template <typename Use>
  void LoadLocked(const Site& site, int bytes, Use use);
  template <typename Use>
  void StoreConditional(const Site& site, int bytes, Use use);

  // --- PALcode (emit_pal.cc).
  void ReadField(const Site& site, size_t offset);
  void WriteField(const Site& site, size_t offset);
  void ReadVaForm(const Site& site, size_t va, size_t control, int control_bits,
                  uint64_t other_forms);
  void WriteInterruptEnable(const Site& site);
  void WriteMode(const Site& site);
  void EmitHwStoreConditional(const Site& site);
  void ReadFlag(const Site& site, bool set);
  void CheckInterrupts();
  void PhysicalAddress(const Site& site, int bytes);
  void LoadVpte(const Site& site);
  void FinishHwLoad(const Site& site, int bytes);

  // --- Floating point (emit_float.cc).
  bool FloatInHost(int place) const { return map_.floating(place) != RegisterMap::kNone; }
  Xbyak::Xmm FloatRead(int place, const Xbyak::Xmm& scratch);
  void FloatMove(const Xbyak::Xmm& to, int place);
  void FloatWrite(int place, const Xbyak::Xmm& from);
  void FloatBits(const Xbyak::Reg64& to, int place);
  void FloatWriteBits(int place, const Xbyak::Reg64& from);
  // Whether SSE can do this operate: rounding to nearest or chopped, no trap on inexact.
  bool IsQuick(const Site& site) const;
  bool IsChopped(const Site& site) const;
  // Between these two the host rounds as the instruction says; the slow path may be taken there.
  void BeginRounding(const Site& site);
  void EndRounding(const Site& site);
  // Records that a result was inexact.
  void CheckInexact();
  // Sets the flags for a test of MXCSR.
  void TestMxcsr(uint32_t flags);
  void CheckRange(const Site& site, const Xbyak::Xmm& xmm, FloatCold::Kind zero,
                  const Frame::Range& range);
  // To be called before CheckInexact(): what is in XMM0 is a result to be used.
  void CheckResult(const Site& site, bool single);
  void FinishOperate(const Site& site, bool single);
  void EmitFloatCold();
  // Whether a place is known to hold a normal number or zero, in this block from here on. After a
  // slow path that is made sure of again.
  bool IsNormal(int place) const { return place == 31 || (normal_floats_ >> place & 1) != 0; }
  // As FloatRead(); anything else there takes the slow path.
  Xbyak::Xmm ReadNormal(const Site& site, int place, const Xbyak::Xmm& scratch);
  // The same, copied to XMM0.
  void MoveNormal(const Site& site, int place);
  // Writes XMM0, which is normal or zero, to Fc.
  void WriteNormal(const Site& site);
  void CheckSingle(const Site& site, int place_a, int place_b);
  template <typename Operation>
  void FloatBinary(const Site& site, bool single, Operation operation);
  void FloatSquareRoot(const Site& site, bool single);
  template <typename Convert>
  void ConvertQuadword(const Site& site, int fraction_bits, Convert convert);
  void FloatCompare(const Site& site, int predicate);
  void JumpIfFloat(int place, Sign sign, Label& label);
  void FloatBranch(const Site& site, Sign sign);
  // Moves unless that condition holds.
  void FloatConditionalMove(const Site& site, Sign unless);
  void ExpandSingle(const Site& site);
  void CompressSingle(int place);

  const EmitterSetup& setup_;
  const Region& region_;
  const Translation& place_;
  const RegisterMap map_;
  const AccessGroups groups_;
  BlockRegisters copies_;
  const uint8_t* executable_;
  ExitSlot* slots_;
  uint32_t slots_used_ = 0;
  std::vector<CodeMark>* marks_ = nullptr;

  std::vector<Label> blocks_;    // where each block starts
  std::vector<Label> bails_;     // and gives up for want of cycles
  std::vector<size_t> entries_;  // offsets of the entries
  // Subroutines: load what is assigned, EmitGoldenCall(). Jumps: EmitBails(), leave for good.
  Label load_, golden_, bail_, leave_;

  struct SlowPathSite {
    Site site;
    Label start;
    Label resume;
    bool resumes;
    BlockRegisters::Copies dirty;   // to be stored first
    BlockRegisters::Copies copies;  // to be loaded before it resumes
    uint32_t normal_floats = 0;     // places that must hold normal numbers or zeros then
  };
  std::deque<SlowPathSite> slow_paths_;
  std::deque<FloatCold> float_cold_;
  // Addresses that turn out to be in no superpage.
  struct ColdLookup {
    Xbyak::Reg64 address;
    Range range;
    Label* slow;
    Label start;
    Label resume;
  };
  std::deque<ColdLookup> cold_lookups_;
  // Members of groups that look up for themselves after all.
  struct ColdBase {
    static constexpr int kInMemory = -1;
    Site site;
    Xbyak::Address slot;
    bool first;  // of its group
    int base;    // the host register that holds the base
    bool masked;
    Range own;
    Label* slow;
    Label start;
    Label resume;
  };
  std::deque<ColdBase> cold_bases_;
  struct Exit {
    int64_t target;
    Label start;
  };
  std::deque<Exit> exits_;  // cold copies of EmitExit()
  struct Unlinked {
    ExitSlot* slot;
    Label start;
  };
  std::deque<Unlinked> unlinked_;
  uint32_t normal_floats_ = 0;   // places in Cpu::f, a bit each; see IsNormal()
  uint32_t checked_normal_ = 0;  // those that this instruction has added
  bool normal_result_ = false;   // whether it writes one
  // A place that the last instruction set from a comparison whose flags are still there.
  int compared_ = -1;
  Condition compared_as_ = Condition::kEqual;
};

}  // namespace isochron::jit

#endif  // ISOCHRON_JIT_EMITTER_H_
