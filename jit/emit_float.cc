// Floating point: SSE for what is common, the golden function for all that is not.
//
// An operate runs on SSE when rounding is to nearest or chopped, its operands and its result
// are normal numbers or zeros: then nothing but "inexact" can happen to the FPCR, and the result
// is what the golden function gives. MXCSR, which waits for all that the host computes, is read
// only while the FPCR's bit for inexact is clear, and for zeros, which may be underflows. Whenever
// it shows inexact, the FPCR has the bit; it never shows more.

#include <bit>

#include "jit/emitter.h"
#include "jit/planted_bugs.h"

namespace isochron::jit {

using alpha::Rounding;
using Xbyak::Reg64;
using Xbyak::Xmm;

Xmm Emitter::FloatRead(int place, const Xmm& scratch) {
  if (FloatInHost(place)) return Xmm(map_.floating(place));
  FloatMove(scratch, place);
  return scratch;
}

void Emitter::FloatMove(const Xmm& to, int place) {
  if (place == 31) {
    xorps(to, to);
  } else if (FloatInHost(place)) {
    movaps(to, Xmm(map_.floating(place)));
  } else {
    movsd(to, qword[FloatField(place)]);
  }
}

void Emitter::FloatWrite(int place, const Xmm& from) {
  if (place == 31) return;
  if (FloatInHost(place)) {
    movaps(Xmm(map_.floating(place)), from);
  } else {
    movsd(qword[FloatField(place)], from);
  }
}

void Emitter::FloatBits(const Reg64& to, int place) {
  if (place == 31) {
    xor_(to.cvt32(), to.cvt32());
  } else if (FloatInHost(place)) {
    movq(to, Xmm(map_.floating(place)));
  } else {
    mov(to, qword[FloatField(place)]);
  }
}

void Emitter::FloatWriteBits(int place, const Reg64& from) {
  if (place == 31) return;
  if (FloatInHost(place)) {
    movq(Xmm(map_.floating(place)), from);
  } else {
    mov(qword[FloatField(place)], from);
  }
}

bool Emitter::IsChopped(const Site& site) const {
  return site.guest.word.qualifiers.rounding == Rounding::kChopped;
}

bool Emitter::IsQuick(const Site& site) const {
  const alpha::FpQualifiers& q = site.guest.word.qualifiers;
  return (q.rounding == Rounding::kNearest || IsChopped(site)) && !q.inexact;
}

void Emitter::BeginRounding(const Site& site) {
  if (!IsChopped(site) || Planted(Bug::kRoundingIgnored)) return;
  ldmxcsr(dword[Low(&setup_.frame.chopped_mxcsr)]);
}

void Emitter::EndRounding(const Site& site) {
  if (IsChopped(site)) ldmxcsr(dword[Low(&setup_.frame.clean_mxcsr)]);
}

void Emitter::CheckInexact() {
  FloatCold& cold = float_cold_.emplace_back(FloatCold::Kind::kMayBeInexact);
  cmp(byte[Low(&setup_.frame.look_for_inexact)], 0);
  jne(cold.start);
  L(cold.resume);
}

void Emitter::EmitFloatCold() {
  for (FloatCold& cold : float_cold_) {
    L(cold.start);
    switch (cold.kind) {
      case FloatCold::Kind::kZeroOperand:
      case FloatCold::Kind::kZeroResult:
        movq(rax, Xmm(cold.xmm));
        add(rax, rax);
        jnz(*cold.slow);
        if (cold.kind == FloatCold::Kind::kZeroResult) {
          TestMxcsr(Frame::kMxcsrErrors);
          if (!Planted(Bug::kMxcsrFlagIgnored)) jnz(*cold.slow);
        }
        jmp(cold.resume);
        continue;
      case FloatCold::Kind::kMayBeInexact:
        TestMxcsr(Frame::kMxcsrInexact);
        jz(cold.resume);
        break;
      case FloatCold::Kind::kInexact: break;
    }
    mov(rax, alpha::fpcr::kInexact | alpha::fpcr::kSummary);
    if (!Planted(Bug::kFpcrInexactLost)) or_(qword[InCpu(offsetof(alpha::Cpu, fpcr))], rax);
    mov(byte[Low(&setup_.frame.look_for_inexact)], 0);
    jmp(cold.resume);
  }
}

void Emitter::TestMxcsr(uint32_t flags) {
  stmxcsr(dword[Low(&setup_.frame.mxcsr)]);
  test(byte[Low(&setup_.frame.mxcsr)], static_cast<int>(flags));
}

void Emitter::CheckRange(const Site& site, const Xmm& xmm, FloatCold::Kind zero,
                         const Frame::Range& range) {
  Label& slow = SlowPath(site);
  FloatCold& cold = float_cold_.emplace_back(zero);
  cold.slow = &slow;
  cold.xmm = xmm.getIdx();
  movq(rax, xmm);
  add(rax, rax);
  sub(rax, qword[Low(&range.above)]);
  cmp(rax, qword[Low(&range.span)]);
  jae(cold.start);
  L(cold.resume);
}

// Both rounding and what is too small or too large for the format show in the result's range;
// of a zero the flags say whether it is one.
void Emitter::CheckResult(const Site& site, bool single) {
  if (Planted(Bug::kResultNotChecked)) return;
  CheckRange(site, xmm0, FloatCold::Kind::kZeroResult,
             single ? setup_.frame.single_range : setup_.frame.double_range);
}

Xmm Emitter::ReadNormal(const Site& site, int place, const Xmm& scratch) {
  const Xmm xmm = FloatRead(place, scratch);
  if (IsNormal(place)) return xmm;
  CheckRange(site, xmm, FloatCold::Kind::kZeroOperand, setup_.frame.double_range);
  normal_floats_ |= 1u << place;
  checked_normal_ |= 1u << place;
  return xmm;
}

void Emitter::MoveNormal(const Site& site, int place) {
  const Xmm xmm = ReadNormal(site, place, xmm0);
  if (xmm.getIdx() != 0) movaps(xmm0, xmm);
}

void Emitter::WriteNormal(const Site& site) {
  FloatWrite(site.guest.rc, xmm0);
  normal_result_ = true;
}

// Both registers must hold what an S_floating number can.
void Emitter::CheckSingle(const Site& site, int place_a, int place_b) {
  FloatBits(rax, place_a);
  if (place_b != place_a) {
    FloatBits(rcx, place_b);
    or_(eax, ecx);
  }
  test(eax, (1 << 29) - 1);
  jnz(SlowPath(site));
}

// XMM0 is the exact result rounded to double precision.
void Emitter::FinishOperate(const Site& site, bool single) {
  if (single && !Planted(Bug::kSingleNotRounded)) {
    cvtsd2ss(xmm0, xmm0);
    cvtss2sd(xmm0, xmm0);
  }
  CheckResult(site, single);
  CheckInexact();
  EndRounding(site);
  WriteNormal(site);
  Resume(site);
}

template <typename Operation>
void Emitter::FloatBinary(const Site& site, bool single, Operation operation) {
  if (!IsQuick(site)) return EmitGolden(site);
  if (single) CheckSingle(site, site.guest.ra, site.guest.rb);
  MoveNormal(site, site.guest.ra);
  const Xmm b = ReadNormal(site, site.guest.rb, xmm1);
  BeginRounding(site);
  operation(b);
  FinishOperate(site, single);
}

void Emitter::FloatSquareRoot(const Site& site, bool single) {
  if (!IsQuick(site)) return EmitGolden(site);
  if (single) CheckSingle(site, site.guest.rb, site.guest.rb);
  const Xmm b = ReadNormal(site, site.guest.rb, xmm1);
  BeginRounding(site);
  sqrtsd(xmm0, b);
  FinishOperate(site, single);
}

void Emitter::EmitAddt(const Site& site) {
  FloatBinary(site, false, [this](const Xmm& b) { addsd(xmm0, b); });
}
void Emitter::EmitSubt(const Site& site) {
  FloatBinary(site, false, [this](const Xmm& b) { subsd(xmm0, b); });
}
void Emitter::EmitMult(const Site& site) {
  FloatBinary(site, false, [this](const Xmm& b) { mulsd(xmm0, b); });
}
void Emitter::EmitDivt(const Site& site) {
  FloatBinary(site, false, [this](const Xmm& b) { divsd(xmm0, b); });
}
void Emitter::EmitAdds(const Site& site) {
  FloatBinary(site, true, [this](const Xmm& b) { addsd(xmm0, b); });
}
void Emitter::EmitSubs(const Site& site) {
  FloatBinary(site, true, [this](const Xmm& b) { subsd(xmm0, b); });
}
void Emitter::EmitMuls(const Site& site) {
  FloatBinary(site, true, [this](const Xmm& b) { mulsd(xmm0, b); });
}
void Emitter::EmitDivs(const Site& site) {
  FloatBinary(site, true, [this](const Xmm& b) { divsd(xmm0, b); });
}
void Emitter::EmitSqrtt(const Site& site) { FloatSquareRoot(site, false); }
void Emitter::EmitSqrts(const Site& site) { FloatSquareRoot(site, true); }

// Of normal numbers and zeros: it has no flags, and no rounding.
void Emitter::FloatCompare(const Site& site, int predicate) {
  MoveNormal(site, site.guest.ra);
  const Xmm b = ReadNormal(site, site.guest.rb, xmm1);
  cmpsd(xmm0, b, static_cast<uint8_t>(predicate));
  andps(xmm0, ptr[Low(setup_.frame.compare_true)]);
  WriteNormal(site);
  Resume(site);
}

void Emitter::EmitCmpteq(const Site& site) { FloatCompare(site, 0); }
void Emitter::EmitCmptlt(const Site& site) { FloatCompare(site, 1); }
void Emitter::EmitCmptle(const Site& site) { FloatCompare(site, 2); }
void Emitter::EmitCmptun(const Site& site) { FloatCompare(site, 3); }

// Every quadword is in range: it is converted exactly when its magnitude fits in the fraction.
template <typename Convert>
void Emitter::ConvertQuadword(const Site& site, int fraction_bits, Convert convert) {
  if (!IsQuick(site)) return EmitGolden(site);
  Label exact;
  FloatBits(rax, site.guest.rb);
  xorps(xmm0, xmm0);
  BeginRounding(site);
  convert();
  mov(rcx, rax);
  sar(rcx, fraction_bits);
  add(rcx, 1);
  cmp(rcx, 1);
  jbe(exact);
  CheckInexact();
  L(exact);
  EndRounding(site);
  WriteNormal(site);
}

void Emitter::EmitCvtqt(const Site& site) {
  ConvertQuadword(site, 53, [this] { cvtsi2sd(xmm0, rax); });
}
void Emitter::EmitCvtqs(const Site& site) {
  ConvertQuadword(site, 24, [this] {
    cvtsi2ss(xmm0, rax);
    cvtss2sd(xmm0, xmm0);
  });
}

// Conversion to a quadword: chopped, as compilers want it, or to nearest.
void Emitter::EmitCvttq(const Site& site) {
  if (!IsQuick(site)) return EmitGolden(site);
  const Xmm b = ReadNormal(site, site.guest.rb, xmm0);
  // The host has an instruction for chopping: its rounding need not change.
  IsChopped(site) && !Planted(Bug::kCvttqRounds) ? cvttsd2si(rdx, b) : cvtsd2si(rdx, b);
  // What it gives when the number is out of range; also for one number in range.
  mov(rax, rdx);
  sub(rax, 1);
  jo(SlowPath(site));
  // Exact when the way back leads to the number.
  xorps(xmm1, xmm1);
  cvtsi2sd(xmm1, rdx);
  FloatCold& cold = float_cold_.emplace_back(FloatCold::Kind::kInexact);
  ucomisd(xmm1, b);
  jne(cold.start);
  L(cold.resume);
  FloatWriteBits(site.guest.rc, rdx);
  Resume(site);
}

void Emitter::EmitCvtts(const Site& site) {
  if (!IsQuick(site)) return EmitGolden(site);
  MoveNormal(site, site.guest.rb);
  BeginRounding(site);
  FinishOperate(site, true);
}

void Emitter::EmitCvtst(const Site& site) {
  MoveNormal(site, site.guest.rb);
  WriteNormal(site);
  Resume(site);
}

void Emitter::EmitCvtlq(const Site& site) {
  CompressSingle(site.guest.rb);
  movsxd(rdx, edx);
  FloatWriteBits(site.guest.rc, rdx);
}

void Emitter::EmitCvtql(const Site& site) {
  FloatBits(rax, site.guest.rb);
  movsxd(rcx, eax);
  cmp(rcx, rax);
  Planted(Bug::kCvtqlOverflowMissed) ? jl(SlowPath(site)) : jne(SlowPath(site));
  mov(ecx, eax);
  and_(ecx, static_cast<int>(0xC0000000));
  shl(rcx, 32);
  and_(eax, 0x3FFFFFFF);
  shl(rax, 29);
  or_(rax, rcx);
  FloatWriteBits(site.guest.rc, rax);
  Resume(site);
}

// EAX: the memory image of an S_floating number; writes it to Fa.
void Emitter::ExpandSingle(const Site& site) {
  Label done;
  // Normal numbers and zeros, which the host converts alike.
  lea(ecx, ptr[rax + rax]);
  sub(ecx, 0x01000000);
  movd(xmm0, eax);
  cmp(ecx, static_cast<int>(0xfe000000));
  cvtss2sd(xmm0, xmm0);
  jb(done);
  test(eax, 0x7fffffff);
  jnz(SlowPath(site));
  L(done);
  FloatWrite(site.guest.ra, xmm0);
}

// EDX := the S_floating memory image of a register, which is also how it holds a longword.
// Leaves RAX alone.
void Emitter::CompressSingle(int place) {
  FloatBits(rdx, place);
  mov(rcx, rdx);
  shr(rdx, 32);
  and_(edx, static_cast<int>(0xC0000000));
  shr(rcx, 29);
  and_(ecx, 0x3FFFFFFF);
  or_(edx, ecx);
}

void Emitter::EmitItoft(const Site& site) {
  const Reg64 from = Read(site.guest.ra, rax);
  FloatWriteBits(site.guest.rc, from);
}
void Emitter::EmitFtoit(const Site& site) {
  const Reg64 to = Target(site.guest.rc, rax);
  FloatBits(to, site.guest.ra);
  Write(site.guest.rc, to);
}
void Emitter::EmitFtois(const Site& site) {
  CompressSingle(site.guest.ra);
  movsxd(rdx, edx);
  Write(site.guest.rc, rdx);
}
void Emitter::EmitItofs(const Site& site) { EmitGolden(site); }
void Emitter::EmitItoff(const Site& site) { EmitGolden(site); }

void Emitter::EmitCpys(const Site& site) {
  if (site.guest.ra == site.guest.rb) {
    FloatWrite(site.guest.rc, FloatRead(site.guest.rb, xmm0));
    return;
  }
  movaps(xmm1, ptr[Low(setup_.frame.sign_mask)]);
  FloatMove(xmm0, site.guest.ra);
  andps(xmm0, xmm1);
  FloatMove(xmm2, site.guest.rb);
  andnps(xmm1, xmm2);
  orps(xmm0, xmm1);
  FloatWrite(site.guest.rc, xmm0);
}

void Emitter::EmitCpysn(const Site& site) {
  movaps(xmm1, ptr[Low(setup_.frame.sign_mask)]);
  FloatMove(xmm0, site.guest.ra);
  if (site.guest.ra == site.guest.rb) {
    xorps(xmm0, xmm1);
  } else {
    andnps(xmm0, xmm1);
    FloatMove(xmm2, site.guest.rb);
    andnps(xmm1, xmm2);
    orps(xmm0, xmm1);
  }
  FloatWrite(site.guest.rc, xmm0);
}

void Emitter::EmitCpyse(const Site& site) { EmitGolden(site); }

// Jumps when a condition holds for a register; minus zero equals zero.
void Emitter::JumpIfFloat(int place, Sign sign, Label& label) {
  FloatBits(rax, place);
  switch (sign) {
    case Sign::kEqual:
    case Sign::kNotEqual: add(rax, rax); return sign == Sign::kEqual ? jz(label) : jnz(label);
    case Sign::kLess:
    case Sign::kGreaterOrEqual:
      cmp(rax, qword[Low(setup_.frame.sign_mask)]);
      return sign == Sign::kLess ? ja(label) : jbe(label);
    case Sign::kLessOrEqual:
    case Sign::kGreater:
      // One less, so that plus zero comes out above minus zero.
      mov(rcx, qword[Low(setup_.frame.sign_mask)]);
      sub(rax, 1);
      sub(rcx, 1);
      cmp(rax, rcx);
      return sign == Sign::kLessOrEqual ? jae(label) : jb(label);
  }
}

void Emitter::FloatBranch(const Site& site, Sign sign) {
  JumpIfFloat(site.guest.ra, sign, TakenLabel(site));
  NotTaken(site);
}

void Emitter::EmitFbeq(const Site& site) { FloatBranch(site, Sign::kEqual); }
void Emitter::EmitFbne(const Site& site) { FloatBranch(site, Sign::kNotEqual); }
void Emitter::EmitFblt(const Site& site) { FloatBranch(site, Sign::kLess); }
void Emitter::EmitFble(const Site& site) { FloatBranch(site, Sign::kLessOrEqual); }
void Emitter::EmitFbgt(const Site& site) { FloatBranch(site, Sign::kGreater); }
void Emitter::EmitFbge(const Site& site) { FloatBranch(site, Sign::kGreaterOrEqual); }

void Emitter::FloatConditionalMove(const Site& site, Sign unless) {
  Label skipped;
  JumpIfFloat(site.guest.ra, unless, skipped);
  FloatWrite(site.guest.rc, FloatRead(site.guest.rb, xmm0));
  L(skipped);
}

void Emitter::EmitFcmoveq(const Site& site) { FloatConditionalMove(site, Sign::kNotEqual); }
void Emitter::EmitFcmovne(const Site& site) { FloatConditionalMove(site, Sign::kEqual); }
void Emitter::EmitFcmovlt(const Site& site) { FloatConditionalMove(site, Sign::kGreaterOrEqual); }
void Emitter::EmitFcmovle(const Site& site) { FloatConditionalMove(site, Sign::kGreater); }
void Emitter::EmitFcmovgt(const Site& site) { FloatConditionalMove(site, Sign::kLessOrEqual); }
void Emitter::EmitFcmovge(const Site& site) { FloatConditionalMove(site, Sign::kLess); }

// What exists is written, the summary bit is what the status bits make of it, and inexact
// results are looked for anew.
void Emitter::EmitMtFpcr(const Site& site) {
  FloatBits(rax, site.guest.ra);
  and_(rax, qword[Low(&setup_.frame.fpcr_writable)]);
  xor_(ecx, ecx);
  test(qword[Low(&setup_.frame.fpcr_status)], rax);
  if (!Planted(Bug::kFpcrSummaryLost)) setnz(cl);
  shl(rcx, 63);
  or_(rcx, rax);
  mov(qword[InCpu(offsetof(alpha::Cpu, fpcr))], rcx);
  constexpr int kInexactBit = std::countr_zero(alpha::fpcr::kInexact);
  bt(rax, kInexactBit);
  setnc(byte[Low(&setup_.frame.look_for_inexact)]);
  ldmxcsr(dword[Low(&setup_.frame.clean_mxcsr)]);
}

void Emitter::EmitMfFpcr(const Site& site) {
  mov(rax, qword[InCpu(offsetof(alpha::Cpu, fpcr))]);
  FloatWriteBits(site.guest.ra, rax);
}

// Nothing that is compiled today uses VAX formats.
void Emitter::EmitAddf(const Site& site) { EmitGolden(site); }
void Emitter::EmitSubf(const Site& site) { EmitGolden(site); }
void Emitter::EmitMulf(const Site& site) { EmitGolden(site); }
void Emitter::EmitDivf(const Site& site) { EmitGolden(site); }
void Emitter::EmitSqrtf(const Site& site) { EmitGolden(site); }
void Emitter::EmitAddg(const Site& site) { EmitGolden(site); }
void Emitter::EmitSubg(const Site& site) { EmitGolden(site); }
void Emitter::EmitMulg(const Site& site) { EmitGolden(site); }
void Emitter::EmitDivg(const Site& site) { EmitGolden(site); }
void Emitter::EmitSqrtg(const Site& site) { EmitGolden(site); }
void Emitter::EmitCmpgeq(const Site& site) { EmitGolden(site); }
void Emitter::EmitCmpglt(const Site& site) { EmitGolden(site); }
void Emitter::EmitCmpgle(const Site& site) { EmitGolden(site); }
void Emitter::EmitCvtdg(const Site& site) { EmitGolden(site); }
void Emitter::EmitCvtgf(const Site& site) { EmitGolden(site); }
void Emitter::EmitCvtgd(const Site& site) { EmitGolden(site); }
void Emitter::EmitCvtgq(const Site& site) { EmitGolden(site); }
void Emitter::EmitCvtqf(const Site& site) { EmitGolden(site); }
void Emitter::EmitCvtqg(const Site& site) { EmitGolden(site); }

}  // namespace isochron::jit
