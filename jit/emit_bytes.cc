// Byte manipulation, bytewise comparison and the multimedia instructions.

#include <limits>

#include "alpha/integer.h"
#include "jit/emitter.h"
#include "jit/planted_bugs.h"

namespace isochron::jit {

using Xbyak::Reg64;

void Emitter::ShiftByBytes(const Site& site, const Reg64& reg, bool left, bool high) {
  const ShiftKind kind = left ? ShiftKind::kLeft : ShiftKind::kRight;
  if (site.literal()) {
    const int bits = 8 * (site.immediate() & 7);
    if (!high) return ShiftBy(kind, reg, bits);
    // By 64 for byte 0.
    ShiftBy(kind, reg, 1);
    return ShiftBy(kind, reg, 63 - bits);
  }
  Move(rcx, site.guest.rb);
  shl(ecx, 3);
  if (high) {
    if (!Planted(Bug::kMaskHighOneBitOff)) ShiftBy(kind, reg, 1);
    not_(ecx);
  }
  ShiftByCl(kind, reg);
}

void Emitter::KeepBytes(const Reg64& reg, int bytes) {
  switch (bytes) {
    case 1: return movzx(reg.cvt32(), reg.cvt8());
    case 2: return movzx(reg.cvt32(), reg.cvt16());
    case 4: return mov(reg.cvt32(), reg.cvt32());
    default: return;
  }
}

// EXTxL shifts the bytes at Rbv to the right; EXTxH those before Rbv to the left, by 64 minus
// the bits that EXTxL shifts, and by none at all for byte 0.
void Emitter::Extract(const Site& site, int bytes, bool high) {
  const ShiftKind kind = high ? ShiftKind::kLeft : ShiftKind::kRight;
  if (site.literal()) {
    const Reg64 to = Target(site.guest.rc, rax);
    const int bits = 8 * (site.immediate() & 7);
    Move(to, site.guest.ra);
    ShiftBy(kind, to, (high ? 64 - bits : bits) & 63);
    KeepBytes(to, bytes);
    return Write(site.guest.rc, to);
  }
  Move(rcx, site.guest.rb);
  if (high) neg(ecx);
  shl(ecx, 3);
  if (!setup_.features.bmi2) {
    Move(rax, site.guest.ra);
    ShiftByCl(kind, rax);
    KeepBytes(rax, bytes);
    return Write(site.guest.rc, rax);
  }
  const Reg64 to = Target(site.guest.rc, rax);
  const Reg64 a = Read(site.guest.ra, rax);
  high ? shlx(to, a, rcx) : shrx(to, a, rcx);
  KeepBytes(to, bytes);
  Write(site.guest.rc, to);
}

void Emitter::Insert(const Site& site, int bytes, bool high) {
  Move(rax, site.guest.ra);
  KeepBytes(rax, bytes);
  ShiftByBytes(site, rax, !high, high);
  Write(site.guest.rc, rax);
}

void Emitter::Mask(const Site& site, int bytes, bool high) {
  if (bytes == 8) {
    mov(rax, -1);
  } else {
    mov(eax, static_cast<uint32_t>((uint64_t{1} << (8 * bytes)) - 1));
  }
  ShiftByBytes(site, rax, !high, high);
  not_(rax);
  With(site.guest.ra, [this](const auto& a) { and_(rax, a); });
  Write(site.guest.rc, rax);
}

void Emitter::EmitExtbl(const Site& site) { Extract(site, 1, false); }
void Emitter::EmitExtwl(const Site& site) { Extract(site, 2, false); }
void Emitter::EmitExtll(const Site& site) { Extract(site, 4, false); }
void Emitter::EmitExtql(const Site& site) { Extract(site, 8, false); }
void Emitter::EmitExtwh(const Site& site) { Extract(site, 2, true); }
void Emitter::EmitExtlh(const Site& site) { Extract(site, 4, true); }
void Emitter::EmitExtqh(const Site& site) { Extract(site, 8, true); }
void Emitter::EmitInsbl(const Site& site) { Insert(site, 1, false); }
void Emitter::EmitInswl(const Site& site) { Insert(site, 2, false); }
void Emitter::EmitInsll(const Site& site) { Insert(site, 4, false); }
void Emitter::EmitInsql(const Site& site) { Insert(site, 8, false); }
void Emitter::EmitInswh(const Site& site) { Insert(site, 2, true); }
void Emitter::EmitInslh(const Site& site) { Insert(site, 4, true); }
void Emitter::EmitInsqh(const Site& site) { Insert(site, 8, true); }
void Emitter::EmitMskbl(const Site& site) { Mask(site, 1, false); }
void Emitter::EmitMskwl(const Site& site) { Mask(site, 2, false); }
void Emitter::EmitMskll(const Site& site) { Mask(site, 4, false); }
void Emitter::EmitMskql(const Site& site) { Mask(site, 8, false); }
void Emitter::EmitMskwh(const Site& site) { Mask(site, 2, true); }
void Emitter::EmitMsklh(const Site& site) { Mask(site, 4, true); }
void Emitter::EmitMskqh(const Site& site) { Mask(site, 8, true); }

// Keeps the bytes of Ra whose bit in `keep` is set.
void Emitter::KeepZapnot(const Site& site, uint32_t keep) {
  const uint64_t mask = alpha::ByteMask(Planted(Bug::kZapLosesByte7) ? keep & 0x7f : keep);
  const Reg64 to = Target(site.guest.rc, rax);
  if (keep == 15) {
    WithLow(site.guest.ra, [&](const auto& from) { mov(to.cvt32(), from); });
  } else if (keep == 1 || keep == 3) {
    Move(to, site.guest.ra);
    KeepBytes(to, keep == 1 ? 1 : 2);
  } else {
    mov(rcx, mask);
    Move(to, site.guest.ra);
    and_(to, rcx);
  }
  Write(site.guest.rc, to);
}

// Keeps the bytes of Ra whose bit in Rb is set, or is not.
void Emitter::KeepByRegister(const Site& site, bool complement) {
  MoveB(site, rcx);
  movzx(ecx, cl);
  if (complement) xor_(ecx, 0xff);
  mov(rcx, qword[rcx * 8 + Low(setup_.frame.byte_masks.data())]);
  Move(rax, site.guest.ra);
  and_(rax, rcx);
  Write(site.guest.rc, rax);
}

void Emitter::EmitZap(const Site& site) {
  if (!site.literal()) return KeepByRegister(site, true);
  KeepZapnot(site, ~static_cast<uint32_t>(site.immediate()) & 0xff);
}

void Emitter::EmitZapnot(const Site& site) {
  if (!site.literal()) return KeepByRegister(site, false);
  KeepZapnot(site, static_cast<uint32_t>(site.immediate()) & 0xff);
}

void Emitter::EmitCmpbge(const Site& site) {
  Move(rax, site.guest.ra);
  movq(xmm0, rax);
  movq(xmm1, ReadB(site, rcx));
  pmaxub(xmm1, xmm0);
  pcmpeqb(xmm0, xmm1);
  pmovmskb(eax, xmm0);
  movzx(eax, al);
  Write(site.guest.rc, rax);
}

void Emitter::EmitSextb(const Site& site) {
  MoveB(site, rax);
  const Reg64 to = Target(site.guest.rc, rax);
  Planted(Bug::kSextbUnsigned) ? movzx(to, al) : movsx(to, al);
  Write(site.guest.rc, to);
}

void Emitter::EmitSextw(const Site& site) {
  MoveB(site, rax);
  const Reg64 to = Target(site.guest.rc, rax);
  movsx(to, ax);
  Write(site.guest.rc, to);
}

// No compiler emits these by itself.
void Emitter::EmitPerr(const Site& site) { EmitGolden(site); }
void Emitter::EmitUnpkbw(const Site& site) { EmitGolden(site); }
void Emitter::EmitUnpkbl(const Site& site) { EmitGolden(site); }
void Emitter::EmitPkwb(const Site& site) { EmitGolden(site); }
void Emitter::EmitPklb(const Site& site) { EmitGolden(site); }

// XMM0 has operand A, XMM1 operand B; XMM0 the result. SSE2 has signed words and unsigned bytes.
template <typename Operation>
void Emitter::Packed(const Site& site, Operation operation) {
  Move(rax, site.guest.ra);
  movq(xmm0, rax);
  movq(xmm1, ReadB(site, rcx));
  operation();
  movq(rax, xmm0);
  Write(site.guest.rc, rax);
}

void Emitter::EmitMinub8(const Site& site) {
  Packed(site, [this] { pminub(xmm0, xmm1); });
}
void Emitter::EmitMaxub8(const Site& site) {
  Packed(site, [this] { pmaxub(xmm0, xmm1); });
}
void Emitter::EmitMinsw4(const Site& site) {
  Packed(site, [this] { pminsw(xmm0, xmm1); });
}
void Emitter::EmitMaxsw4(const Site& site) {
  Packed(site, [this] { pmaxsw(xmm0, xmm1); });
}

// a - max(a - b, 0) and max(a - b, 0) + b.
void Emitter::EmitMinuw4(const Site& site) {
  Packed(site, [this] {
    movaps(xmm2, xmm0);
    psubusw(xmm2, xmm1);
    psubw(xmm0, xmm2);
  });
}
void Emitter::EmitMaxuw4(const Site& site) {
  Packed(site, [this] {
    psubusw(xmm0, xmm1);
    paddw(xmm0, xmm1);
  });
}

// With their signs the other way they are in the order of unsigned bytes.
template <typename Operation>
void Emitter::PackedSignedBytes(const Site& site, Operation operation) {
  Packed(site, [&] {
    movaps(xmm2, ptr[Low(setup_.frame.byte_signs)]);
    pxor(xmm0, xmm2);
    pxor(xmm1, xmm2);
    operation();
    pxor(xmm0, xmm2);
  });
}

void Emitter::EmitMinsb8(const Site& site) {
  PackedSignedBytes(site, [this] { pminub(xmm0, xmm1); });
}
void Emitter::EmitMaxsb8(const Site& site) {
  PackedSignedBytes(site, [this] { pmaxub(xmm0, xmm1); });
}

}  // namespace isochron::jit
