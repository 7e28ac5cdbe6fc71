// Internal processor registers of the 21264/EV67: numbers, fields and PALcode entry points.
// Source: Alpha 21264/EV67 Hardware Reference Manual (HRM), chapters 5 and 6.

#ifndef ISOCHRON_ALPHA_IPR_H_
#define ISOCHRON_ALPHA_IPR_H_

#include <cstdint>

namespace isochron::alpha {

// The bits of a physical address.
inline constexpr uint64_t kPhysicalMask = (uint64_t{1} << 44) - 1;
// Those that PAL_BASE has: <43:15>.
inline constexpr uint64_t kPalBaseMask = kPhysicalMask & ~uint64_t{0x7fff};

// Processor modes as CM, the PTE protection bits and PS encode them.
enum class Mode : uint8_t { kKernel = 0, kExecutive = 1, kSupervisor = 2, kUser = 3 };

// Index field <15:8> of HW_MFPR and HW_MTPR (HRM table 5-1).
enum class Ipr : uint8_t {
  kItbTag = 0x00,
  kItbPte = 0x01,
  kItbIap = 0x02,
  kItbIa = 0x03,
  kItbIs = 0x04,
  kExcAddr = 0x06,
  kIvaForm = 0x07,
  kCm = 0x09,
  kIer = 0x0a,
  kIerCm = 0x0b,
  kSirr = 0x0c,
  kIsum = 0x0d,
  kHwIntClr = 0x0e,
  kExcSum = 0x0f,
  kPalBase = 0x10,
  kICtl = 0x11,
  kIcFlushAsm = 0x12,
  kIcFlush = 0x13,
  kPctrCtl = 0x14,
  kClrMap = 0x15,
  kIStat = 0x16,
  kSleep = 0x17,
  kDtbTag0 = 0x20,
  kDtbPte0 = 0x21,
  kDtbIs0 = 0x24,
  kDtbAsn0 = 0x25,
  kDtbAltMode = 0x26,
  kMmStat = 0x27,
  kMCtl = 0x28,
  kDcCtl = 0x29,
  kDcStat = 0x2a,
  kCData = 0x2b,
  kCShft = 0x2c,
  kPctx = 0x40,  // 0x40 to 0x7f: the low five bits select the fields that are written
  kDtbTag1 = 0xa0,
  kDtbPte1 = 0xa1,
  kDtbIap = 0xa2,
  kDtbIa = 0xa3,
  kDtbIs1 = 0xa4,
  kDtbAsn1 = 0xa5,
  kCc = 0xc0,
  kCcCtl = 0xc1,
  kVa = 0xc2,
  kVaForm = 0xc3,
  kVaCtl = 0xc4,
};

// PALcode entry points as offsets from PAL_BASE (HRM table 6-8).
enum class PalEntry : uint16_t {
  kDtbmDouble3 = 0x100,
  kDtbmDouble4 = 0x180,
  kFen = 0x200,
  kUnalign = 0x280,
  kDtbmSingle = 0x300,
  kDfault = 0x380,
  kOpcdec = 0x400,
  kIacv = 0x480,
  kMchk = 0x500,
  kItbMiss = 0x580,
  kArith = 0x600,
  kInterrupt = 0x680,
  kMtFpcrTrap = 0x700,
  kReset = 0x780,
};

// I_CTL (HRM section 5.2.15).
namespace i_ctl {
inline constexpr uint64_t kVptbMask = 0xffff'ffff'c000'0000;
inline constexpr int kChipIdShift = 24;
inline constexpr uint64_t kPct1Enable = uint64_t{1} << 19;
inline constexpr uint64_t kPct0Enable = uint64_t{1} << 18;
inline constexpr uint64_t kVaForm32 = uint64_t{1} << 16;
inline constexpr uint64_t kVa48 = uint64_t{1} << 15;
inline constexpr uint64_t kHwe = uint64_t{1} << 12;
inline constexpr uint64_t kShadowEnable = uint64_t{1} << 7;  // SDE<1>
inline constexpr int kSpeShift = 3;
inline constexpr uint64_t kSpce = 1;
}  // namespace i_ctl

// VA_CTL (HRM section 5.1.4).
namespace va_ctl {
inline constexpr uint64_t kVptbMask = 0xffff'ffff'c000'0000;
inline constexpr uint64_t kVaForm32 = 4;
inline constexpr uint64_t kVa48 = 2;
inline constexpr uint64_t kBigEndian = 1;
}  // namespace va_ctl

// IER, SIRR and ISUM (HRM sections 5.2.9 to 5.2.11).
namespace interrupt {
inline constexpr int kExternalShift = 33;
inline constexpr uint64_t kExternalMask = uint64_t{0x3f} << kExternalShift;
inline constexpr uint64_t kSerialLine = uint64_t{1} << 32;
inline constexpr uint64_t kCorrectedRead = uint64_t{1} << 31;
inline constexpr int kPerformanceShift = 29;
inline constexpr uint64_t kPerformanceMask = uint64_t{3} << kPerformanceShift;
inline constexpr uint64_t kSoftwareMask = uint64_t{0x7fff} << 14;
inline constexpr uint64_t kAstEnable = uint64_t{1} << 13;
inline constexpr uint64_t kEnableMask =
    kExternalMask | kSerialLine | kCorrectedRead | kPerformanceMask | kSoftwareMask | kAstEnable;
}  // namespace interrupt

// MM_STAT (HRM section 5.3.8).
namespace mm_stat {
inline constexpr uint64_t kWrite = 1;
inline constexpr uint64_t kAcv = 2;
inline constexpr uint64_t kFor = 4;
inline constexpr uint64_t kFow = 8;
inline constexpr int kOpcodeShift = 4;
}  // namespace mm_stat

// EXC_SUM (HRM section 5.2.13); the low seven bits are those of FpResult::trap.
namespace exc_sum {
inline constexpr uint64_t kIntegerOverflow = 1 << 6;
inline constexpr uint64_t kInteger = 1 << 7;
inline constexpr int kRegShift = 8;
inline constexpr uint64_t kBadIva = 1 << 13;
}  // namespace exc_sum

// Page table entries as DTB_PTE and ITB_PTE take them (HRM figures 5-14 and 5-27).
namespace pte {
inline constexpr uint64_t kFor = 1 << 1;
inline constexpr uint64_t kFow = 1 << 2;
inline constexpr uint64_t kAsm = 1 << 4;
inline constexpr int kGhShift = 5;
inline constexpr int kReadEnableShift = 8;    // KRE; ERE, SRE and URE follow
inline constexpr int kWriteEnableShift = 12;  // KWE; EWE, SWE and UWE follow
}  // namespace pte

// PCTX (HRM section 5.2.21).
namespace pctx {
inline constexpr int kAsnShift = 39;
inline constexpr int kAstrrShift = 9;
inline constexpr int kAsterShift = 5;
inline constexpr uint64_t kFpe = 1 << 2;
inline constexpr uint64_t kPpce = 1 << 1;
}  // namespace pctx

}  // namespace isochron::alpha

#endif  // ISOCHRON_ALPHA_IPR_H_
