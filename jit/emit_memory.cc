// Loads and stores: an inline lookup in the interpreter's lookaside, which is a subset of what
// the DTB and the superpages allow.

#include "jit/emitter.h"
#include "jit/planted_bugs.h"

namespace isochron::jit {

using alpha::Cpu;
using Xbyak::Reg64;
using Xbyak::RegExp;

// The address in the register that it gives, RAX or the one that holds the base; with
// `align_mask` its low bits are ignored.
Reg64 Emitter::EffectiveAddress(const Site& site, uint32_t align_mask) {
  const int32_t displacement = site.immediate();
  Fetch(site.guest.rb);
  if (site.guest.rb == 31) {
    mov(rax, int64_t{displacement});
  } else if (InHost(site.guest.rb)) {
    const Reg64 base = HostOf(site.guest.rb);
    if (displacement == 0 && align_mask == 0) return base;
    if (displacement != 0) {
      lea(rax, ptr[base + displacement]);
    } else {
      mov(rax, base);
    }
  } else {
    mov(rax, qword[IntegerField(site.guest.rb)]);
    if (displacement != 0) add(rax, displacement);
  }
  if (align_mask != 0) and_(rax, ~static_cast<int>(align_mask));
  return rax;
}

// Finds what `range` has off an address in the lookaside: RCX is then what to add to it, or it goes
// to `miss`. The tag covers page and alignment and, from `context`, address space and mode.
void Emitter::LookUpTag(const Reg64& address, const Range& range, const Xbyak::RegExp& context,
                        Label& miss) {
  using Entry = ref::DataLookaside::Entry;
  static_assert(sizeof(Entry) == 32);
  constexpr int kEntryShift = 5;
  const ref::DataLookaside& lookaside = setup_.tables.context.lookaside;
  if (range.low != 0) {
    lea(ecx, ptr[address + range.low]);
    shr(ecx, alpha::kPageShift - kEntryShift);
  } else if (setup_.features.bmi2) {
    rorx(ecx, address.cvt32(), alpha::kPageShift - kEntryShift);
  } else {
    mov(ecx, address.cvt32());
    shr(ecx, alpha::kPageShift - kEntryShift);
  }
  and_(ecx, static_cast<int>(lookaside.index_mask() << kEntryShift));
  // The entry of the first page has the tag of the last one only when they are one.
  const int32_t last = Planted(Bug::kGroupEndNotChecked) ? range.low : range.last;
  if (last != 0) {
    lea(rdx, ptr[address + last]);
  } else {
    mov(rdx, address);
  }
  and_(rdx, static_cast<int>(~static_cast<uint32_t>(alpha::kPageMask) |
                             static_cast<uint32_t>(range.align - 1)));
  if (Planted(Bug::kAlignmentNotChecked)) and_(rdx, ~7);
  or_(rdx, qword[context]);
  const RegExp entry = InTables(lookaside.entries()) + rcx;
  if (range.writes) {
    cmp(rdx, qword[entry + offsetof(Entry, write_tag)]);
    jne(miss);
  }
  if (range.reads) {
    cmp(rdx, qword[entry + offsetof(Entry, read_tag)]);
    jne(miss);
  }
  mov(rcx, qword[entry + offsetof(Entry, addend)]);
}

// The same in the superpage of data that kernels use: that is there in every address space. What is
// elsewhere goes to `outside`, what may not be done so quickly to `slow`.
void Emitter::LookUpKseg(const Reg64& address, const Range& range, Label& outside, Label& slow) {
  if (range.low != 0) {
    lea(rdx, ptr[address + range.low]);
  } else {
    mov(rdx, address);
  }
  sub(rdx, qword[Low(&setup_.frame.kseg_base)]);
  cmp(rdx, qword[Low(&setup_.frame.kseg_size)]);
  jae(outside);
  if (range.align > 1 && !Planted(Bug::kAlignmentNotChecked)) {
    test(address.cvt32(), range.align - 1);
    jnz(slow);
  }
  if (range.writes) {
    if (range.last != range.low && !Planted(Bug::kGroupEndNotChecked)) {
      lea(ecx, ptr[rdx + (range.last - range.low)]);
      xor_(ecx, edx);
      test(ecx, static_cast<int>(~static_cast<uint32_t>(alpha::kPageMask)));
      jnz(slow);
    }
    shr(rdx, alpha::kPageShift);
    add(rdx, qword[Low(&setup_.frame.memory_marks)]);
    cmp(byte[rdx], alpha::Memory::kDirty);
    jne(slow);
  }
  mov(rcx, qword[Low(&setup_.frame.kseg_addend)]);
}

// Finds an address in RAM: RCX is then what to add to it.
void Emitter::LookUp(const Site& site, const Reg64& address, int bytes, Access access) {
  const Range range = RangeOf(bytes, access);
  Label& slow = SlowPath(site);
  if (IsMapped()) return LookUpTag(address, range, DataContext(), slow);
  // The lookaside remains for other pages.
  cold_lookups_.push_back({address, range, &slow, {}, {}});
  ColdLookup& other = cold_lookups_.back();
  LookUpKseg(address, range, other.start, slow);
  L(other.resume);
}

void Emitter::EmitColdLookups() {
  for (ColdLookup& lookup : cold_lookups_) {
    L(lookup.start);
    LookUpTag(lookup.address, lookup.range, DataContext(), *lookup.slow);
    jmp(lookup.resume);
  }
}

// RCX := the host's address of the base register of a group; or, when this reference is elsewhere
// than the group or the group in several pages, what would be it if all were where this one is.
void Emitter::FindBase(const Site& site, const AccessGroups::Member& member, bool masked,
                       const Range& own) {
  const AccessGroup& group = *member.group;
  const Xbyak::Address slot = qword[BaseSlot(group.slot)];
  const int place = site.guest.rb;
  int base = InHost(place) ? HostNumber(place) : ColdBase::kInMemory;
  if (member.first) base = Read(place, rax).getIdx();
  cold_bases_.push_back({site, slot, member.first, base, masked, own, &SlowPath(site), {}, {}});
  ColdBase& cold = cold_bases_.back();
  if (!member.first) {
    mov(rcx, slot);
    test(rcx, rcx);
    jz(cold.start);
  } else {
    const int32_t align = Planted(Bug::kGroupAlignedAsFirst) ? own.align : group.align;
    const Range range = {group.low, group.last(), align, group.reads, group.writes};
    if (IsMapped()) {
      LookUpTag(Host64(base), range, DataContext(), cold.start);
    } else {
      LookUpKseg(Host64(base), range, cold.start, cold.start);
    }
    add(rcx, Host64(base));
    mov(slot, rcx);
  }
  L(cold.resume);
}

void Emitter::EmitColdBases() {
  for (ColdBase& cold : cold_bases_) {
    L(cold.start);
    if (cold.first) mov(cold.slot, 0);
    const int32_t displacement = cold.site.immediate();
    if (cold.base == ColdBase::kInMemory) {
      mov(rax, qword[IntegerField(cold.site.guest.rb)]);
      add(rax, displacement);
    } else {
      lea(rax, ptr[Host64(cold.base) + displacement]);
    }
    if (cold.masked) and_(rax, -8);
    LookUpTag(rax, cold.own, DataContext(), *cold.slow);
    lea(rcx, ptr[rax + rcx - displacement]);
    jmp(cold.resume);
  }
}

// Where in the host's memory the operand is.
RegExp Emitter::Locate(const Site& site) {
  const Reference reference = ReferenceOf(site.guest.word.op);
  const Access access = reference.write ? Access::kWrite : Access::kRead;
  const bool masked = reference.unaligned && !Planted(Bug::kLdqUNotMasked);
  const int aligned_to = masked == reference.unaligned ? reference.bytes : 1;
  const AccessGroups::Member member = groups_.Find(IndexOf(site.block), site.index);
  if (member.group == nullptr) {
    const Reg64 address = EffectiveAddress(site, masked ? 7 : 0);
    LookUp(site, address, aligned_to, access);
    return address + rcx;
  }
  FindBase(site, member, masked, RangeOf(aligned_to, access));
  if (!masked) return rcx + site.immediate();
  lea(rax, ptr[rcx + site.immediate()]);
  and_(rax, -8);
  return rax;
}

template <typename Use>
void Emitter::Load(const Site& site, Use use) {
  if (site.guest.ra == 31) return Prefetch(site);
  use(Locate(site));
  Resume(site);
}

// A load to R31 or F31 translates, but ignores alignment and reads nothing.
void Emitter::Prefetch(const Site& site) {
  LookUp(site, EffectiveAddress(site, 0), 1, Access::kRead);
  Resume(site);
}

template <typename Use>
void Emitter::Store(const Site& site, Use use) {
  use(Locate(site));
  Resume(site);
}

void Emitter::EmitLdbu(const Site& site) {
  Load(site, [&](const RegExp& at) {
    const Reg64 to = Target(site.guest.ra, rax);
    movzx(to.cvt32(), byte[at]);
    Write(site.guest.ra, to);
  });
}
void Emitter::EmitLdwu(const Site& site) {
  Load(site, [&](const RegExp& at) {
    const Reg64 to = Target(site.guest.ra, rax);
    movzx(to.cvt32(), word[at]);
    Write(site.guest.ra, to);
  });
}
void Emitter::EmitLdl(const Site& site) {
  Load(site, [&](const RegExp& at) {
    const Reg64 to = Target(site.guest.ra, rax);
    if (Planted(Bug::kLdlNotExtended)) {
      mov(to.cvt32(), dword[at]);
    } else {
      movsxd(to, dword[at]);
    }
    Write(site.guest.ra, to);
  });
}
void Emitter::EmitLdq(const Site& site) {
  Load(site, [&](const RegExp& at) {
    const Reg64 to = Target(site.guest.ra, rax);
    mov(to, qword[at]);
    Write(site.guest.ra, to);
  });
}
// To R31 it is UNOP: no access at all.
void Emitter::EmitLdqU(const Site& site) {
  if (site.guest.ra == 31) return;
  Load(site, [&](const RegExp& at) {
    const Reg64 to = Target(site.guest.ra, rax);
    mov(to, qword[at]);
    Write(site.guest.ra, to);
  });
}

void Emitter::EmitStb(const Site& site) {
  Store(site, [&](const RegExp& at) { mov(byte[at], Read(site.guest.ra, rdx).cvt8()); });
}
void Emitter::EmitStw(const Site& site) {
  Store(site, [&](const RegExp& at) { mov(word[at], Read(site.guest.ra, rdx).cvt16()); });
}
void Emitter::EmitStl(const Site& site) {
  Store(site, [&](const RegExp& at) { mov(dword[at], Read(site.guest.ra, rdx).cvt32()); });
}
void Emitter::EmitStq(const Site& site) {
  Store(site, [&](const RegExp& at) { mov(qword[at], Read(site.guest.ra, rdx)); });
}
void Emitter::EmitStqU(const Site& site) {
  Store(site, [&](const RegExp& at) { mov(qword[at], Read(site.guest.ra, rdx)); });
}

// RAX: the host address. What the lookaside finds is RAM, so its place there is the physical
// address that is locked.
template <typename Use>
void Emitter::LoadLocked(const Site& site, int bytes, Use use) {
  const Reg64 address = EffectiveAddress(site, 0);
  LookUp(site, address, bytes, Access::kRead);
  lea(rax, ptr[address + rcx]);
  mov(rdx, rax);
  sub(rdx, qword[Low(&setup_.frame.memory_base)]);
  and_(rdx, -static_cast<int>(Cpu::kLockBlock));
  mov(qword[InCpu(offsetof(Cpu, lock_address))], rdx);
  mov(byte[InCpu(offsetof(Cpu, lock_flag))], 1);
  use();
  Resume(site);
}

void Emitter::EmitLdlL(const Site& site) {
  LoadLocked(site, 4, [&] {
    const Reg64 to = Target(site.guest.ra, rax);
    movsxd(to, dword[rax]);
    Write(site.guest.ra, to);
  });
}
void Emitter::EmitLdqL(const Site& site) {
  LoadLocked(site, 8, [&] {
    const Reg64 to = Target(site.guest.ra, rax);
    mov(to, qword[rax]);
    Write(site.guest.ra, to);
  });
}

template <typename Use>
void Emitter::StoreConditional(const Site& site, int bytes, Use use) {
  Label failed;
  const Reg64 address = EffectiveAddress(site, 0);
  LookUp(site, address, bytes, Access::kWrite);
  lea(rax, ptr[address + rcx]);
  mov(rdx, rax);
  sub(rdx, qword[Low(&setup_.frame.memory_base)]);
  and_(rdx, -static_cast<int>(Cpu::kLockBlock));
  xor_(ecx, ecx);
  cmp(byte[InCpu(offsetof(Cpu, lock_flag))], 0);
  je(failed);
  cmp(rdx, qword[InCpu(offsetof(Cpu, lock_address))]);
  jne(failed);
  use();
  mov(ecx, 1);
  L(failed);
  if (!Planted(Bug::kLockNotCleared)) mov(byte[InCpu(offsetof(Cpu, lock_flag))], 0);
  Write(site.guest.ra, rcx);
  Resume(site);
}

void Emitter::EmitStlC(const Site& site) {
  StoreConditional(site, 4, [&] {
    Move(rdx, site.guest.ra);
    mov(dword[rax], edx);
  });
}
void Emitter::EmitStqC(const Site& site) {
  StoreConditional(site, 8, [&] {
    Move(rdx, site.guest.ra);
    mov(qword[rax], rdx);
  });
}

void Emitter::EmitLdt(const Site& site) {
  Load(site, [&](const RegExp& at) {
    if (FloatInHost(site.guest.ra)) {
      movsd(Xbyak::Xmm(map_.floating(site.guest.ra)), qword[at]);
    } else {
      mov(rax, qword[at]);
      FloatWriteBits(site.guest.ra, rax);
    }
  });
}
void Emitter::EmitStt(const Site& site) {
  Store(site, [&](const RegExp& at) {
    if (FloatInHost(site.guest.ra)) {
      movsd(qword[at], Xbyak::Xmm(map_.floating(site.guest.ra)));
    } else {
      FloatBits(rdx, site.guest.ra);
      mov(qword[at], rdx);
    }
  });
}
void Emitter::EmitLds(const Site& site) {
  Load(site, [&](const RegExp& at) {
    mov(eax, dword[at]);
    ExpandSingle(site);
  });
}
void Emitter::EmitSts(const Site& site) {
  Store(site, [&](const RegExp& at) {
    lea(rax, ptr[at]);
    CompressSingle(site.guest.ra);
    mov(dword[rax], edx);
  });
}

// Nothing that is compiled today uses VAX formats.
void Emitter::EmitLdf(const Site& site) { EmitGolden(site); }
void Emitter::EmitLdg(const Site& site) { EmitGolden(site); }
void Emitter::EmitStf(const Site& site) { EmitGolden(site); }
void Emitter::EmitStg(const Site& site) { EmitGolden(site); }

}  // namespace isochron::jit
