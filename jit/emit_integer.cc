// Integer arithmetic, logic, shifts and conditional moves.

#include "jit/emitter.h"
#include "jit/planted_bugs.h"

namespace isochron::jit {

using Xbyak::Reg64;

void Emitter::Test(int place, bool low_bit) {
  if (place == 31) {
    xor_(ecx, ecx);
  } else if (InHost(place)) {
    low_bit ? test(HostOf(place).cvt8(), 1) : test(HostOf(place), HostOf(place));
  } else {
    low_bit ? test(byte[IntegerField(place)], 1) : cmp(qword[IntegerField(place)], 0);
  }
}

// Rc := operation(Rav, Rbv), where operation(to, b) changes `to` by b.
template <typename Operation>
void Emitter::Binary(const Site& site, bool commutative, Operation operation) {
  const GuestInstruction& guest = site.guest;
  Reg64 to = Target(guest.rc, rax);
  if (site.literal()) {
    Move(to, guest.ra);
    operation(to, site.immediate());
    return Write(guest.rc, to);
  }
  const bool overlaps = InHost(guest.rb) && HostOf(guest.rb) == to && guest.ra != guest.rb;
  if (overlaps && commutative) {
    With(guest.ra, [&](const auto& a) { operation(to, a); });
    return Write(guest.rc, to);
  }
  if (overlaps) to = rax;
  Move(to, guest.ra);
  With(guest.rb, [&](const auto& b) { operation(to, b); });
  Write(guest.rc, to);
}

// The same on longwords; the result is sign-extended.
template <typename Operation>
void Emitter::Binary32(const Site& site, Operation operation) {
  const Reg64 to = Target(site.guest.rc, rax);
  WithLow(site.guest.ra, [&](const auto& a) { mov(eax, a); });
  if (site.literal()) {
    operation(eax, site.immediate());
  } else {
    WithLow(site.guest.rb, [&](const auto& b) { operation(eax, b); });
  }
  movsxd(to, eax);
  Write(site.guest.rc, to);
}

// The /V forms: an overflow is the golden function's.
template <typename Operation>
void Emitter::Overflow(const Site& site, bool longword, Operation operation) {
  if (longword) {
    WithLow(site.guest.ra, [&](const auto& a) { mov(eax, a); });
    if (site.literal()) {
      operation(eax, site.immediate());
    } else {
      WithLow(site.guest.rb, [&](const auto& b) { operation(eax, b); });
    }
  } else {
    Move(rax, site.guest.ra);
    if (site.literal()) {
      operation(rax, site.immediate());
    } else {
      With(site.guest.rb, [&](const auto& b) { operation(rax, b); });
    }
  }
  Planted(Bug::kCarryForOverflow) ? jc(SlowPath(site)) : jo(SlowPath(site));
  if (longword) movsxd(rax, eax);
  Write(site.guest.rc, rax);
  Resume(site);
}

// Rc := the sign-extended longword of a place: how compilers use ADDL.
void Emitter::SignExtend(const Site& site, const Reg64& to, int place) {
  WithLow(place, [&](const auto& from) { movsxd(to, from); });
  Write(site.guest.rc, to);
}

void Emitter::ScaledAdd(const Site& site, int scale, bool longword) {
  const Reg64 to = Target(site.guest.rc, rax);
  const bool b_is_zero = site.literal() ? site.immediate() == 0 : site.guest.rb == 31;
  if (longword && scale == 1 && b_is_zero) return SignExtend(site, to, site.guest.ra);
  if (longword && site.guest.ra == 31 && !site.literal()) {
    return SignExtend(site, to, site.guest.rb);
  }
  const Reg64 a = Read(site.guest.ra, rcx);
  Reg64 sum = longword ? rax : to;
  if (site.literal()) {
    if (scale == 1) {
      lea(sum, ptr[a + site.immediate()]);
    } else {
      lea(sum, ptr[a * scale + site.immediate()]);
    }
  } else {
    lea(sum, ptr[Read(site.guest.rb, rdx) + a * scale]);
  }
  if (longword && !Planted(Bug::kAddlNotExtended)) movsxd(to, eax);
  Write(site.guest.rc, longword && Planted(Bug::kAddlNotExtended) ? rax : to);
}

void Emitter::ScaledSubtract(const Site& site, int scale, bool longword) {
  const Reg64 to = Target(site.guest.rc, rax);
  const Reg64 a = Read(site.guest.ra, rcx);
  if (site.literal()) {
    lea(rax, ptr[a * scale - site.immediate()]);
  } else {
    lea(rax, ptr[a * scale]);
    With(site.guest.rb, [&](const auto& b) { sub(rax, b); });
  }
  if (longword) {
    movsxd(to, eax);
  } else {
    Write(site.guest.rc, rax);
    return;
  }
  Write(site.guest.rc, to);
}

void Emitter::EmitLda(const Site& site) {
  const Reg64 to = Target(site.guest.ra, rax);
  const int32_t displacement =
      Planted(Bug::kDisplacementUnsigned) ? site.immediate() & 0xffff : site.immediate();
  Fetch(site.guest.rb);
  if (site.guest.rb == 31) {
    mov(to, int64_t{displacement});
  } else if (displacement == 0) {
    Move(to, site.guest.rb);
  } else if (InHost(site.guest.rb)) {
    lea(to, ptr[HostOf(site.guest.rb) + displacement]);
  } else {
    Move(to, site.guest.rb);
    add(to, displacement);
  }
  Write(site.guest.ra, to);
}

void Emitter::EmitLdah(const Site& site) { EmitLda(site); }

void Emitter::EmitAddq(const Site& site) {
  if (!site.literal() && site.guest.rc == site.guest.ra && InHost(site.guest.rc)) {
    return Binary(site, true, [this](const Reg64& to, const auto& b) { add(to, b); });
  }
  ScaledAdd(site, 1, false);
}
void Emitter::EmitS4addq(const Site& site) { ScaledAdd(site, 4, false); }
void Emitter::EmitS8addq(const Site& site) { ScaledAdd(site, 8, false); }
void Emitter::EmitAddl(const Site& site) { ScaledAdd(site, 1, true); }
void Emitter::EmitS4addl(const Site& site) { ScaledAdd(site, 4, true); }
void Emitter::EmitS8addl(const Site& site) { ScaledAdd(site, 8, true); }
void Emitter::EmitSubq(const Site& site) {
  Binary(site, false, [this](const Reg64& to, const auto& b) { sub(to, b); });
}
void Emitter::EmitS4subq(const Site& site) { ScaledSubtract(site, 4, false); }
void Emitter::EmitS8subq(const Site& site) { ScaledSubtract(site, 8, false); }
void Emitter::EmitSubl(const Site& site) {
  Binary32(site, [this](const auto& to, const auto& b) { sub(to, b); });
}
void Emitter::EmitS4subl(const Site& site) { ScaledSubtract(site, 4, true); }
void Emitter::EmitS8subl(const Site& site) { ScaledSubtract(site, 8, true); }

void Emitter::EmitMull(const Site& site) {
  Binary32(site, [this](const auto& to, const auto& b) { MultiplyBy(to, b); });
}
void Emitter::EmitMulq(const Site& site) {
  Binary(site, true, [this](const auto& to, const auto& b) { MultiplyBy(to, b); });
}
void Emitter::EmitUmulh(const Site& site) {
  MoveB(site, rax);
  if (site.guest.ra == 31) {
    xor_(edx, edx);
  } else {
    With(site.guest.ra, [this](const auto& a) { Planted(Bug::kUmulhSigned) ? imul(a) : mul(a); });
  }
  Write(site.guest.rc, rdx);
}

void Emitter::EmitAddlV(const Site& site) {
  Overflow(site, true, [this](const auto& to, const auto& b) { add(to, b); });
}
void Emitter::EmitAddqV(const Site& site) {
  Overflow(site, false, [this](const auto& to, const auto& b) { add(to, b); });
}
void Emitter::EmitSublV(const Site& site) {
  Overflow(site, true, [this](const auto& to, const auto& b) { sub(to, b); });
}
void Emitter::EmitSubqV(const Site& site) {
  Overflow(site, false, [this](const auto& to, const auto& b) { sub(to, b); });
}
void Emitter::EmitMullV(const Site& site) {
  Overflow(site, true, [this](const auto& to, const auto& b) { MultiplyBy(to, b); });
}
void Emitter::EmitMulqV(const Site& site) {
  Overflow(site, false, [this](const auto& to, const auto& b) { MultiplyBy(to, b); });
}

void Emitter::Compare(const Site& site, Condition condition) {
  const Reg64 to = Target(site.guest.rc, rax);
  const Reg64 a = Read(site.guest.ra, rcx);
  if (site.literal()) {
    cmp(a, site.immediate());
  } else {
    With(site.guest.rb, [&](const auto& b) { cmp(a, b); });
  }
  switch (condition) {
    case Condition::kEqual: sete(al); break;
    case Condition::kLess: setl(al); break;
    case Condition::kLessEqual: setle(al); break;
    case Condition::kBelow: setb(al); break;
    case Condition::kBelowEqual: setbe(al); break;
  }
  movzx(to.cvt32(), al);
  Write(site.guest.rc, to);
  compared_ = site.guest.rc;
  compared_as_ = condition;
}

void Emitter::EmitCmpeq(const Site& site) { Compare(site, Condition::kEqual); }
void Emitter::EmitCmplt(const Site& site) { Compare(site, Condition::kLess); }
void Emitter::EmitCmple(const Site& site) { Compare(site, Condition::kLessEqual); }
void Emitter::EmitCmpult(const Site& site) { Compare(site, Condition::kBelow); }
void Emitter::EmitCmpule(const Site& site) { Compare(site, Condition::kBelowEqual); }

template <typename Count>
void Emitter::CountBits(const Site& site, bool supported, Count count) {
  if (!supported) return EmitGolden(site);
  const Reg64 to = Target(site.guest.rc, rax);
  With(site.guest.rb, [&](const auto& b) { count(to, b); });
  Write(site.guest.rc, to);
}

void Emitter::EmitCtpop(const Site& site) {
  CountBits(site, setup_.features.popcnt,
            [this](const Reg64& to, const auto& b) { popcnt(to, b); });
}
void Emitter::EmitCtlz(const Site& site) {
  CountBits(site, setup_.features.lzcnt, [this](const Reg64& to, const auto& b) { lzcnt(to, b); });
}
void Emitter::EmitCttz(const Site& site) {
  CountBits(site, setup_.features.bmi1, [this](const Reg64& to, const auto& b) { tzcnt(to, b); });
}

void Emitter::EmitAnd(const Site& site) {
  Binary(site, true, [this](const Reg64& to, const auto& b) { and_(to, b); });
}
void Emitter::EmitXor(const Site& site) {
  Binary(site, true, [this](const Reg64& to, const auto& b) { xor_(to, b); });
}

// BIS is also how Alpha moves, clears and, to R31, does nothing.
void Emitter::EmitBis(const Site& site) {
  const GuestInstruction& guest = site.guest;
  if (guest.rc == 31) return;
  const Reg64 to = Target(guest.rc, rax);
  if (guest.ra == 31) {
    MoveB(site, to);
  } else if (!site.literal() && (guest.rb == 31 || guest.rb == guest.ra)) {
    Move(to, guest.ra);
  } else {
    return Binary(site, true, [this](const Reg64& r, const auto& b) { or_(r, b); });
  }
  Write(guest.rc, to);
}

void Emitter::EmitBic(const Site& site) {
  if (site.literal()) {
    return Binary(site, false, [this](const Reg64& to, const auto& b) {
      if constexpr (std::is_arithmetic_v<std::decay_t<decltype(b)>>) and_(to, ~b);
    });
  }
  Move(rax, site.guest.rb);
  not_(rax);
  With(site.guest.ra, [this](const auto& a) { and_(rax, a); });
  Write(site.guest.rc, rax);
}

void Emitter::EmitOrnot(const Site& site) {
  MoveB(site, rax);
  not_(rax);
  With(site.guest.ra, [this](const auto& a) { or_(rax, a); });
  Write(site.guest.rc, rax);
}

void Emitter::EmitEqv(const Site& site) {
  MoveB(site, rax);
  not_(rax);
  With(site.guest.ra, [this](const auto& a) { xor_(rax, a); });
  Write(site.guest.rc, rax);
}

void Emitter::ShiftBy(ShiftKind kind, const Reg64& reg, int count) {
  if (count == 0) return;
  switch (kind) {
    case ShiftKind::kLeft: return shl(reg, count);
    case ShiftKind::kRight: return shr(reg, count);
    case ShiftKind::kRightSigned: return sar(reg, count);
  }
}

void Emitter::ShiftByCl(ShiftKind kind, const Reg64& reg) {
  if (setup_.features.bmi2) {
    switch (kind) {
      case ShiftKind::kLeft: return shlx(reg, reg, rcx);
      case ShiftKind::kRight: return shrx(reg, reg, rcx);
      case ShiftKind::kRightSigned: return sarx(reg, reg, rcx);
    }
  }
  switch (kind) {
    case ShiftKind::kLeft: return shl(reg, cl);
    case ShiftKind::kRight: return shr(reg, cl);
    case ShiftKind::kRightSigned: return sar(reg, cl);
  }
}

void Emitter::Shift(const Site& site, ShiftKind kind) {
  const Reg64 to = Target(site.guest.rc, rax);
  if (site.literal()) {
    Move(to, site.guest.ra);
    ShiftBy(kind, to, site.immediate() & (Planted(Bug::kShiftOf32) ? 31 : 63));
    return Write(site.guest.rc, to);
  }
  if (setup_.features.bmi2 && InHost(site.guest.rb)) {
    const Reg64 a = Read(site.guest.ra, rdx);
    const Reg64 count = HostOf(site.guest.rb);
    switch (kind) {
      case ShiftKind::kLeft: shlx(to, a, count); break;
      case ShiftKind::kRight: shrx(to, a, count); break;
      case ShiftKind::kRightSigned: sarx(to, a, count); break;
    }
    return Write(site.guest.rc, to);
  }
  Move(rcx, site.guest.rb);
  Move(rax, site.guest.ra);
  ShiftByCl(kind, rax);
  Write(site.guest.rc, rax);
}

void Emitter::EmitSll(const Site& site) { Shift(site, ShiftKind::kLeft); }
void Emitter::EmitSrl(const Site& site) { Shift(site, ShiftKind::kRight); }
void Emitter::EmitSra(const Site& site) { Shift(site, ShiftKind::kRightSigned); }

// AMASK and IMPLVER are asked once by each program.
void Emitter::EmitAmask(const Site& site) { EmitGolden(site); }
void Emitter::EmitImplver(const Site& site) { EmitGolden(site); }

template <typename Cmov>
void Emitter::ConditionalMove(const Site& site, bool low_bit, Cmov cmov) {
  if (site.guest.rc == 31) return;
  const Reg64 to = Target(site.guest.rc, rax);
  Move(to, site.guest.rc);
  const Reg64 b = ReadB(site, rdx);
  Test(site.guest.ra, low_bit);
  cmov(to, b);
  Write(site.guest.rc, to);
}

void Emitter::EmitCmovlbs(const Site& site) {
  ConditionalMove(site, true, [this](const Reg64& to, const Reg64& b) { cmovne(to, b); });
}
void Emitter::EmitCmovlbc(const Site& site) {
  ConditionalMove(site, true, [this](const Reg64& to, const Reg64& b) { cmove(to, b); });
}
void Emitter::EmitCmoveq(const Site& site) {
  ConditionalMove(site, false, [this](const Reg64& to, const Reg64& b) { cmove(to, b); });
}
void Emitter::EmitCmovne(const Site& site) {
  ConditionalMove(site, false, [this](const Reg64& to, const Reg64& b) { cmovne(to, b); });
}
void Emitter::EmitCmovlt(const Site& site) {
  ConditionalMove(site, false, [this](const Reg64& to, const Reg64& b) { cmovl(to, b); });
}
void Emitter::EmitCmovge(const Site& site) {
  ConditionalMove(site, false, [this](const Reg64& to, const Reg64& b) {
    Planted(Bug::kCmovInverted) ? cmovl(to, b) : cmovge(to, b);
  });
}
void Emitter::EmitCmovle(const Site& site) {
  ConditionalMove(site, false, [this](const Reg64& to, const Reg64& b) { cmovle(to, b); });
}
void Emitter::EmitCmovgt(const Site& site) {
  ConditionalMove(site, false, [this](const Reg64& to, const Reg64& b) { cmovg(to, b); });
}

}  // namespace isochron::jit
