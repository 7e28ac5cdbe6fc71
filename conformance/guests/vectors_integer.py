"""Vectors of the integer guests: each instruction's meaning on Python integers."""

import random

M64 = (1 << 64) - 1


def s64(x):
    return x - (1 << 64) if x >> 63 & 1 else x


def s32(x):
    """The signed value of bits <31:0>."""
    x &= 0xFFFFFFFF
    return x - (1 << 32) if x >> 31 else x


def sext(x, bits):
    x &= (1 << bits) - 1
    return (x - (1 << bits) if x >> (bits - 1) else x) & M64


def lanes(x, bits, signed):
    """The value as 64/bits lanes, lowest first."""
    out = [x >> i & ((1 << bits) - 1) for i in range(0, 64, bits)]
    return [v - (1 << bits) if signed and v >> (bits - 1) else v for v in out]


def join(values, bits):
    return sum((v & ((1 << bits) - 1)) << (bits * i) for i, v in enumerate(values))


def zap_mask(selected):
    """All ones in each byte whose bit in `selected` is set."""
    return sum(0xFF << (8 * i) for i in range(8) if selected >> i & 1)


def ext(size, high):
    def f(a, b, _):
        at = 8 * (b & 7)
        return (a << (64 - at) % 64 if high else a >> at) & ((1 << 8 * size) - 1)
    return f


def ins(size, high):
    def f(a, b, _):
        wide = (a & ((1 << 8 * size) - 1)) << 8 * (b & 7)
        return wide >> 64 if high else wide & M64
    return f


def msk(size, high):
    def f(a, b, _):
        wide = ((1 << 8 * size) - 1) << 8 * (b & 7)
        return a & ~(wide >> 64 if high else wide) & M64
    return f


def minmax(pick, bits, signed):
    return lambda a, b, _: join(map(pick, lanes(a, bits, signed), lanes(b, bits, signed)), bits)


def ctlz(b):
    return 64 - b.bit_length()


def cttz(b):
    return 64 if b == 0 else (b & -b).bit_length() - 1


def long_true(op):
    """True (unbounded) result of a longword operation."""
    return lambda a, b: op(s32(a), s32(b))


def quad_true(op):
    return lambda a, b: op(s64(a), s64(b))


TRUE = {
    "addl": long_true(lambda a, b: a + b), "subl": long_true(lambda a, b: a - b),
    "mull": long_true(lambda a, b: a * b), "addq": quad_true(lambda a, b: a + b),
    "subq": quad_true(lambda a, b: a - b), "mulq": quad_true(lambda a, b: a * b),
}


def wrapped(name):
    bits = 32 if name[-1] == "l" else 64
    return lambda a, b, _: sext(TRUE[name](a, b), bits)


def scaled(factor, sign, bits):
    return lambda a, b, _: sext(factor * a + sign * b, bits)


def cmov(test):
    return lambda a, b, c: b if test(s64(a)) else c


INTEGER = {
    **{name: wrapped(name) for name in TRUE},
    **{f"s{k}{op}{t}": scaled(k, sign, bits)
       for k in (4, 8) for op, sign in (("add", 1), ("sub", -1))
       for t, bits in (("l", 32), ("q", 64))},
    "umulh": lambda a, b, _: a * b >> 64,
    "cmpeq": lambda a, b, _: int(a == b), "cmplt": lambda a, b, _: int(s64(a) < s64(b)),
    "cmple": lambda a, b, _: int(s64(a) <= s64(b)), "cmpult": lambda a, b, _: int(a < b),
    "cmpule": lambda a, b, _: int(a <= b),
    "cmpbge": lambda a, b, _: sum(int(x >= y) << i for i, (x, y) in
                                  enumerate(zip(lanes(a, 8, False), lanes(b, 8, False)))),
    "and": lambda a, b, _: a & b, "bic": lambda a, b, _: a & ~b & M64, "bis": lambda a, b, _: a | b,
    "ornot": lambda a, b, _: a | ~b & M64, "xor": lambda a, b, _: a ^ b,
    "eqv": lambda a, b, _: a ^ ~b & M64,
    "cmoveq": cmov(lambda a: a == 0), "cmovne": cmov(lambda a: a != 0),
    "cmovlt": cmov(lambda a: a < 0), "cmovge": cmov(lambda a: a >= 0),
    "cmovle": cmov(lambda a: a <= 0), "cmovgt": cmov(lambda a: a > 0),
    "cmovlbs": cmov(lambda a: a & 1 == 1), "cmovlbc": cmov(lambda a: a & 1 == 0),
    "sll": lambda a, b, _: a << (b & 63) & M64, "srl": lambda a, b, _: a >> (b & 63),
    "sra": lambda a, b, _: s64(a) >> (b & 63) & M64,
}

BYTE = {
    **{f"{n}{t}{h}": f(size, h == "h")
       for n, f in (("ext", ext), ("ins", ins), ("msk", msk))
       for t, size in (("b", 1), ("w", 2), ("l", 4), ("q", 8))
       for h in ("l", "h") if not (t == "b" and h == "h")},
    "zap": lambda a, b, _: a & ~zap_mask(b & 0xFF) & M64,
    "zapnot": lambda a, b, _: a & zap_mask(b & 0xFF),
    "sextb": lambda a, b, _: sext(b, 8), "sextw": lambda a, b, _: sext(b, 16),
}

MVI = {
    **{f"{n}{s}{t}{8 if t == 'b' else 4}": minmax(pick, 8 if t == "b" else 16, s == "s")
       for n, pick in (("min", min), ("max", max)) for s in ("u", "s") for t in ("b", "w")},
    "perr": lambda a, b, _: sum(abs(x - y) for x, y in zip(lanes(a, 8, False), lanes(b, 8, False))),
    "pklb": lambda a, b, _: join([v & 0xFF for v in lanes(b, 32, False)], 8),
    "pkwb": lambda a, b, _: join([v & 0xFF for v in lanes(b, 16, False)], 8),
    "unpkbl": lambda a, b, _: join(lanes(b, 8, False)[:2], 32),
    "unpkbw": lambda a, b, _: join(lanes(b, 8, False)[:4], 16),
    "ctlz": lambda a, b, _: ctlz(b), "cttz": lambda a, b, _: cttz(b),
    "ctpop": lambda a, b, _: bin(b).count("1"),
}

AREAS = {"integer": INTEGER, "byte": BYTE, "mvi": MVI}
ONE_OPERAND = {"sextb", "sextw", "pklb", "pkwb", "unpkbl", "unpkbw", "ctlz", "cttz", "ctpop"}
NO_LITERAL = ONE_OPERAND | {"perr"}

LITERAL = 0xA5
OLD_RC = 0x0123456789ABCDEF
EDGES = [0, 1, 2, 7, 0x3F, 0x40, 0x7F80FF01, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x100000000,
         0x0001020304050607, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0x8000000080000000,
         0xFFFFFFFF7FFFFFFF, 0xFFFFFFFF80000000, 0xFFFFFFFFFFFFFFFE, 0xFFFFFFFFFFFFFFFF]


def operands():
    rng = random.Random(21264)
    pairs = [(a, b) for a in EDGES for b in EDGES]
    pairs += [(rng.getrandbits(64), rng.getrandbits(64)) for _ in range(60)]
    return pairs


def quads(values):
    values = list(values)
    return "".join("  .quad " + ", ".join(f"{v:#x}" for v in values[i:i + 4]) + "\n"
                   for i in range(0, len(values), 4))


def overflows(name, a, b):
    true = TRUE[name](a, b)
    bits = 32 if name[-1] == "l" else 64
    return not -(1 << bits - 1) <= true < 1 << bits - 1


def emit(area):
    """One stub a test: u64 stub(a, b, old_rc), with the instruction at the stub's second word."""
    pairs = operands()
    tests = []
    for name, f in AREAS[area].items():
        source = "$17, $0" if name in ONE_OPERAND else "$16, $17, $0"
        tests.append((name, f"{name} {source}", [f(a, b, OLD_RC) for a, b in pairs], None))
        if name not in NO_LITERAL:
            tests.append((f"{name} literal", f"{name} $16, {LITERAL:#x}, $0",
                          [f(a, LITERAL, OLD_RC) for a, _ in pairs], None))
        if name in TRUE:
            tests.append((f"{name}/v", f"{name}/v $16, $17, $0",
                          [f(a, b, OLD_RC) for a, b in pairs],
                          [int(overflows(name, a, b)) for a, b in pairs]))
    out = ["  .set noat\n  .set noreorder\n  .text\n"]
    for i, (_, insn, _, _) in enumerate(tests):
        out.append(f"  .align 4\nstub{i}:\n  mov $18, $0\n  {insn}\n  trapb\n  ret $31, ($26), 1\n")
    out.append("  .section .rodata\n  .align 3\n")
    out.append("  .globl vector_operands\nvector_operands:\n" + quads(v for p in pairs for v in p))
    for i, (name, _, expected, traps) in enumerate(tests):
        out.append(f"expected{i}:\n" + quads(expected))
        if traps:
            out.append(f"traps{i}:\n  .byte " + ", ".join(map(str, traps)) + "\n  .align 3\n")
        out.append(f'name{i}:\n  .asciz "{name}"\n  .align 3\n')
    out.append("  .globl vector_pairs\nvector_pairs:\n  .quad %d\n" % len(pairs))
    out.append("  .globl vector_old_rc\nvector_old_rc:\n  .quad %#x\n" % OLD_RC)
    out.append("  .globl vector_count\nvector_count:\n  .quad %d\n" % len(tests))
    out.append("  .globl vector_tests\nvector_tests:\n")
    for i, (_, _, _, traps) in enumerate(tests):
        out.append(f"  .quad name{i}, stub{i}, expected{i}, {'traps%d' % i if traps else 0}\n")
    out.append('  .section .note.GNU-stack, "", @progbits\n')
    return "".join(out)
