#include "conformance/sequences/sequence_palcode.h"

#include <array>
#include <utility>
#include <vector>

#include "alpha/encode.h"
#include "alpha/ipr.h"
#include "conformance/sequences/sequence_machine.h"
#include "conformance/sequences/words.h"

namespace isochron::conformance {
namespace {

using alpha::HwLoadType;
using alpha::HwStoreType;
using alpha::Ipr;
using alpha::Op;
using alpha::PalEntry;
using Layout = SequenceLayout;
using namespace alpha::words;  // NOLINT: an assembler

constexpr uint32_t kFunctionWords = 16;
// What R31 with a 12-bit displacement reaches: the ends of the physical address space.
constexpr int kStopDisplacement = -8;
constexpr int kAcknowledgeDisplacement = -16;

// `mtpr` of a PCTX field.
uint32_t MtprPctx(uint32_t rb, uint32_t fields) {
  return Mtpr(rb, static_cast<Ipr>(static_cast<uint32_t>(Ipr::kPctx) | fields));
}

// Loads a translation for the address in R4 from the table at `table` to R5.
void AppendTableLookup(Words& words, uint64_t table) {
  Append(words, {OperateLiteral(Op::kSrl, 4, 13, 5), OperateLiteral(Op::kAnd, 5, 127, 5),
                 MemoryOp(Op::kLda, 6, static_cast<int>(table), 31), Operate(Op::kS8addq, 5, 6, 6),
                 HwLoad(HwLoadType::kPhysical, 5, 0, 6)});
}

Words DataMiss() {
  Words words = {Mfpr(4, Ipr::kVa), Mtpr(4, Ipr::kDtbTag0)};
  AppendTableLookup(words, Layout::kDtbTable);
  Append(words, {Mtpr(5, Ipr::kDtbPte0), Mfpr(22, Ipr::kExcAddr), HwRet(22)});
  return words;
}

Words FetchMiss() {
  Words words = {Mfpr(4, Ipr::kExcAddr), Mtpr(4, Ipr::kItbTag)};
  AppendTableLookup(words, Layout::kItbTable);
  Append(words, {Mtpr(5, Ipr::kItbPte), HwRet(4)});
  return words;
}

// HW_MTPR targets that change nothing that the rest of the PALcode relies on.
constexpr Ipr kHarmlessWrites[] = {
    Ipr::kItbTag, Ipr::kExcAddr, Ipr::kDtbTag0, Ipr::kMmStat,  Ipr::kDcCtl,      Ipr::kDcStat,
    Ipr::kCData,  Ipr::kCShft,   Ipr::kPctrCtl, Ipr::kIStat,   Ipr::kDtbAltMode, Ipr::kHwIntClr,
    Ipr::kClrMap, Ipr::kSleep,   Ipr::kDtbTag1, Ipr::kDtbPte1, Ipr::kExcSum,     Ipr::kIsum,
    Ipr::kVa,     Ipr::kCc,      Ipr::kDtbIs0,  Ipr::kItbIs,   Ipr::kSirr};

uint32_t RandomPalInstruction(Random& random) {
  // R1 to R3 and R24 get results; R10 points to data.
  constexpr uint32_t kTargets[] = {0, 1, 2, 3, 24, 25, 20, 21};
  const uint32_t target = kTargets[random() % 8];
  const uint32_t source = kTargets[random() % 8];
  const int displacement = static_cast<int>(random() % 0x800);
  switch (random() % 10) {
    case 0: return Mfpr(target, static_cast<Ipr>(random() % 0xc8));
    case 1: return Mtpr(source, kHarmlessWrites[random() % std::size(kHarmlessWrites)]);
    case 2: {
      constexpr HwLoadType kTypes[] = {HwLoadType::kVirtual,     HwLoadType::kVirtualWriteCheck,
                                       HwLoadType::kVirtualAlt,  HwLoadType::kVirtualWriteCheckAlt,
                                       HwLoadType::kVirtualVpte, HwLoadType::kVirtual};
      const uint32_t pointer = random() % 2 != 0 ? 10 : 11;
      return HwLoad(kTypes[random() % 6], target, displacement, pointer);
    }
    case 3:
      return HwStore(random() % 2 != 0 ? HwStoreType::kVirtual : HwStoreType::kVirtualAlt, source,
                     displacement, 10);
    case 4: return HwLoad(HwLoadType::kPhysical, target, displacement, 31);
    case 5: return HwLoad(HwLoadType::kPhysicalLock, target, displacement, 31);
    case 6: return OperateLiteral(Op::kAddq, source, random() & 255, target);
    case 7: return Operate(Op::kXor, source, kTargets[random() % 8], target);
    case 8: return Operate(Op::kS8subq, source, kTargets[random() % 8], target);
    default: return Mfpr(target, Ipr::kCc);
  }
}

// What CALL_PAL does, without the return at its end.
Words Body(Random& random, uint32_t function) {
  const auto pal = static_cast<SequencePal>(function);
  switch (pal) {
    case SequencePal::kReturn: return {};
    case SequencePal::kInvalidateAll: return {Mtpr(31, Ipr::kItbIa), Mtpr(31, Ipr::kDtbIa)};
    case SequencePal::kInvalidateSingle: return {Mtpr(16, Ipr::kItbIs), Mtpr(16, Ipr::kDtbIs0)};
    case SequencePal::kInvalidateProcess: return {Mtpr(31, Ipr::kItbIap), Mtpr(31, Ipr::kDtbIap)};
    case SequencePal::kFlushInstructions: return {Mtpr(31, Ipr::kIcFlush)};
    case SequencePal::kDisableFloat: return {MtprPctx(31, 0x10)};
    case SequencePal::kSetAsn:
      return {OperateLiteral(Op::kAnd, 16, 3, 20), OperateLiteral(Op::kSll, 20, 39, 21),
              MtprPctx(21, 0x01), OperateLiteral(Op::kSll, 20, 56, 21), Mtpr(21, Ipr::kDtbAsn0)};
    case SequencePal::kEnterPalMode:
      return {OperateLiteral(Op::kZapnot, 23, 7, 23), OperateLiteral(Op::kBis, 23, 1, 23)};
    case SequencePal::kLeavePalMode:
      return {OperateLiteral(Op::kZapnot, 23, 7, 23), OperateLiteral(Op::kBic, 23, 1, 23),
              MemoryOp(Op::kLda, 20, Layout::kCodeBaseCell, 31),
              HwLoad(HwLoadType::kPhysical, 20, 0, 20), Operate(Op::kBis, 23, 20, 23)};
    case SequencePal::kSetInterruptEnable:
      return {MemoryOp(Op::kLdah, 20, 0x2000, 31), Operate(Op::kXor, 16, 20, 20),
              OperateLiteral(Op::kSll, 20, 7, 20), Mtpr(20, Ipr::kIer)};
    case SequencePal::kRequestSoftware: return {Mtpr(16, Ipr::kSirr)};
    case SequencePal::kToggleShadow:
      return {Mfpr(24, Ipr::kICtl), OperateLiteral(Op::kXor, 24, 0x80, 24),
              // After the bit has changed R23 is another register: keep the address in R25.
              Move(23, 25), Mtpr(24, Ipr::kICtl), Move(25, 23)};
    case SequencePal::kSetCounter: return {Mtpr(16, Ipr::kCc), Mtpr(16, Ipr::kCcCtl)};
    case SequencePal::kSetFormat:
      return {OperateLiteral(Op::kBic, 16, 2, 20), Mtpr(20, Ipr::kVaCtl)};
    case SequencePal::kUserMode: return {MemoryOp(Op::kLda, 20, 0x18, 31), Mtpr(20, Ipr::kCm)};
    case SequencePal::kKernelMode: return {Mtpr(31, Ipr::kCm)};
    case SequencePal::kClearFlags:
      return {MemoryOp(Op::kLda, 20, 0x1c00, 31),
              MemoryOp(Op::kLda, 21, 1, 31),
              HwLoad(HwLoadType::kPhysicalLock, 24, 0, 20),
              HwStore(HwStoreType::kPhysicalConditional, 21, 0, 20),
              Mtpr(31, Ipr::kHwIntClr),
              Mtpr(31, Ipr::kDcStat)};
    case SequencePal::kStop: return {HwStore(HwStoreType::kPhysical, 31, kStopDisplacement, 31)};
    case SequencePal::kRandomBody: break;
  }
  Words words;
  for (uint64_t count = 2 + random() % 12; count != 0; --count) {
    words.push_back(RandomPalInstruction(random));
  }
  return words;
}

uint64_t DtbPte(uint64_t pa, uint64_t bits) { return (pa >> 13) << 32 | bits; }
uint64_t ItbPte(uint64_t pa, uint64_t bits) { return pa | (bits & 0x0ff0); }

constexpr uint64_t kAllRights = kAllRead | kAllWrite;

uint64_t AliasPte(Random& random, uint32_t page) {
  switch (static_cast<AliasPage>(page)) {
    case AliasPage::kAll: return DtbPte(Layout::kData, kAllRights);
    case AliasPage::kNoAccess: return DtbPte(Layout::kData, 0);
    case AliasPage::kFaultOnRead: return DtbPte(Layout::kData, kAllRights | alpha::pte::kFor);
    case AliasPage::kFaultOnWrite: return DtbPte(Layout::kData, kAllRights | alpha::pte::kFow);
    case AliasPage::kReadOnly: return DtbPte(Layout::kData, kAllRead);
    case AliasPage::kIo: return DtbPte(Layout::kIo, kAllRights);
    case AliasPage::kNonexistent: return DtbPte(Layout::kNxm, kAllRights);
    case AliasPage::kCode: return DtbPte(Layout::kCode, kAllRights);
    case AliasPage::kKernelOnly: return DtbPte(Layout::kData, kKernelRead | kKernelWrite);
    case AliasPage::kRandom: break;
  }
  const uint64_t pa = Layout::kCode + random() % 24 * alpha::kPageSize;
  uint64_t bits = kAllRights;
  if (random() % 4 == 0) bits = random() & 0xff06;
  if (random() % 4 == 0) bits |= alpha::pte::kAsm;
  return DtbPte(pa, bits);
}

void AppendPageTables(Random& random, uint64_t code_base, Sequence& sequence) {
  Words dtb, itb;
  const auto append = [](Words& words, uint64_t value) {
    words.push_back(static_cast<uint32_t>(value));
    words.push_back(static_cast<uint32_t>(value >> 32));
  };
  const uint64_t process = random() % 2 != 0 ? alpha::pte::kAsm : 0;
  for (uint32_t page = 0; page < Layout::kPages; ++page) {
    const uint64_t pa = uint64_t{page} * alpha::kPageSize;
    append(dtb, DtbPte(pa, kAllRights | process));
    append(itb, ItbPte(pa, kAllRead | process));
  }
  for (uint32_t page = 0; page < Layout::kPages; ++page) {
    const uint64_t pte = AliasPte(random, page);
    append(dtb, pte);
    append(itb, ItbPte((pte >> 32) << 13, pte & 0xffff));
  }
  sequence.segments.push_back({Layout::kDtbTable, std::move(dtb)});
  sequence.segments.push_back({Layout::kItbTable, std::move(itb)});
  Words cell;
  append(cell, code_base);
  sequence.segments.push_back({Layout::kCodeBaseCell, std::move(cell)});
}

}  // namespace

void InstallPalcode(Random& random, uint64_t code_base, Sequence& sequence) {
  AppendPageTables(random, code_base, sequence);
  const auto put = [&](PalEntry entry, Words words) {
    sequence.segments.push_back(
        {Layout::kPalBase + static_cast<uint64_t>(entry), std::move(words)});
  };
  const Words skip = {Mfpr(22, Ipr::kExcAddr), OperateLiteral(Op::kAddq, 22, 4, 22), HwRet(22)};
  for (const PalEntry entry : {PalEntry::kUnalign, PalEntry::kDfault, PalEntry::kOpcdec,
                               PalEntry::kArith, PalEntry::kDtbmDouble3, PalEntry::kDtbmDouble4}) {
    put(entry, skip);
  }
  put(PalEntry::kFen,
      {MemoryOp(Op::kLda, 22, 4, 31), MtprPctx(22, 0x10), Mfpr(22, Ipr::kExcAddr), HwRet(22)});
  for (const PalEntry entry : {PalEntry::kMchk, PalEntry::kIacv}) {
    put(entry, {MemoryOp(Op::kLda, 12, kChunkBytes, 12), HwRet(12)});
  }
  put(PalEntry::kDtbmSingle, DataMiss());
  put(PalEntry::kItbMiss, FetchMiss());
  put(PalEntry::kInterrupt, {HwStore(HwStoreType::kPhysical, 31, kAcknowledgeDisplacement, 31),
                             Mtpr(31, Ipr::kSirr), Mfpr(22, Ipr::kExcAddr), HwRet(22)});
  for (uint32_t function = 0; function < 0x40; ++function) {
    Words words = Body(random, function);
    words.push_back(HwRet(23));
    const uint64_t pa = Layout::kPalBase + 0x2000 + function * 4 * kFunctionWords;
    sequence.segments.push_back({pa, words});
    sequence.segments.push_back({pa + 0x1000, std::move(words)});
  }
}

}  // namespace isochron::conformance
