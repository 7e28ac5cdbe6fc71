"""Vectors of the floating point guests: exact arithmetic on Python fractions, rounded once.

A value is a register image (64 bits).  IEEE rules are those of a 21264A (HRM A.8): a rounded result
below the smallest normal number is an underflow and gives +0, of two NaNs Fb's is kept, and the
canonical NaN is negative.
"""

import random
from fractions import Fraction
from functools import lru_cache
from math import isqrt

from conformance.guests.vectors_integer import M64, quads, s64

SIGN = 1 << 63
QUIET = 1 << 51
INF = 0x7FF << 52
INFINITIES = [INF, INF | SIGN]
CANONICAL_NAN = 0xFFF8 << 48
TRUE = 0x4000 << 48
HUGE = Fraction(1 << 2000)
INV, DZE, OVF, UNF, INE, IOV = (1 << i for i in range(6))  # FPCR<57:52>
MODES = {"c": 0, "m": 1, "n": 2, "p": 3}


class Format:
    """Precision with the hidden bit; the range of e in values 1.f * 2**e (VAX: 0.1f, shifted)."""

    def __init__(self, precision, low, high, bias):
        self.precision, self.low, self.high, self.bias = precision, low, high, bias


S = Format(24, -126, 127, 1023)
T = Format(53, -1022, 1023, 1023)
# VAX values 0.1f * 2**(e - bias) are 1.f * 2**(e - bias - 1).
F = Format(24, -128, 126, 1025)
G = Format(53, -1024, 1022, 1025)


def exponent_of(x):
    """e with 2**e <= x < 2**(e+1), for x > 0."""
    e = x.numerator.bit_length() - x.denominator.bit_length()
    return e if x >= Fraction(2) ** e else e - 1


def round_integer(x, negative, mode):
    """The magnitude x to an integer; mode c, m, n (ties to even), p, a (ties away from zero)."""
    low = x.numerator // x.denominator
    rest = x - low
    if rest == 0:
        return low
    up = {"c": False, "m": negative, "p": not negative, "a": rest >= Fraction(1, 2),
          "n": rest > Fraction(1, 2) or rest == Fraction(1, 2) and low & 1}[mode]
    return low + bool(up)


def round_value(x, negative, fmt, mode):
    """The magnitude x > 0 rounded with unbounded exponent: (rounded, inexact)."""
    unit = Fraction(2) ** (exponent_of(x) - fmt.precision + 1)
    rounded = round_integer(x / unit, negative, mode) * unit
    return rounded, rounded != x


def pack(x, negative, fmt):
    """The register image of a representable magnitude."""
    e = exponent_of(x)
    fraction = x / Fraction(2) ** e - 1
    return (SIGN if negative else 0) | (e + fmt.bias) << 52 | int(fraction * (1 << 52))


def unpack(v, bias):
    """The signed value of a finite image that is not denormal."""
    if v & ~SIGN == 0:
        return Fraction(0)
    significand = Fraction((1 << 52) | v & ((1 << 52) - 1), 1 << 52)
    x = significand * Fraction(2) ** ((v >> 52 & 0x7FF) - bias)
    return -x if v & SIGN else x


def is_nan(v):
    return v & ~SIGN & M64 > INF


def is_inf(v):
    return v & ~SIGN == INF


def is_zero(v):
    return v & ~SIGN == 0


def square_root(x):
    """A fraction on the same side of every rounding boundary as the root; the root if exact."""
    shift = 300 + (x.denominator.bit_length() - x.numerator.bit_length()) // 2
    n = x * Fraction(4) ** shift
    root = isqrt(n.numerator // n.denominator)
    exact = root * root == n
    return (Fraction(root) if exact else Fraction(2 * root + 1, 2)) / Fraction(2) ** shift


def deliver_ieee(x, zero_sign, fmt, mode):
    """A signed exact result: (image, flags)."""
    if x == 0:
        return (SIGN if zero_sign else 0), 0
    negative = x < 0
    rounded, inexact = round_value(abs(x), negative, fmt, mode)
    e = exponent_of(rounded)
    if e > fmt.high:
        to_inf = mode == "n" or mode == ("m" if negative else "p")
        largest = (2 - Fraction(2) ** (1 - fmt.precision)) * Fraction(2) ** fmt.high
        image = INF | (SIGN if negative else 0) if to_inf else pack(largest, negative, fmt)
        return image, OVF | INE
    if e < fmt.low:
        return 0, UNF | INE
    return pack(rounded, negative, fmt), INE if inexact else 0


def quiet(v, fmt):
    keep = M64 if fmt is T else M64 & ~((1 << 29) - 1)
    return (v | QUIET) & keep


def signaling(v):
    return is_nan(v) and not v & QUIET


def propagate(a, b, fmt):
    return quiet(b if is_nan(b) else a, fmt), INV if signaling(a) or signaling(b) else 0


def ieee_binary(op, fmt):
    def f(a, b, mode):
        if is_nan(a) or is_nan(b):
            return propagate(a, b, fmt)
        if op in ("add", "sub"):
            c = b ^ SIGN if op == "sub" else b
            if is_inf(a) and is_inf(c) and a != c:
                return CANONICAL_NAN, INV
            if is_inf(a) or is_inf(c):
                return (a if is_inf(a) else c), 0
            same_zero = is_zero(a) and is_zero(c) and a == c
            zero_sign = a & SIGN if same_zero else mode == "m"
            return deliver_ieee(unpack(a, fmt.bias) + unpack(c, fmt.bias), zero_sign, fmt, mode)
        sign = (a ^ b) & SIGN
        if op == "mul":
            if is_inf(a) or is_inf(b):
                return (CANONICAL_NAN, INV) if is_zero(a) or is_zero(b) else (INF | sign, 0)
            return deliver_ieee(unpack(a, fmt.bias) * unpack(b, fmt.bias), sign, fmt, mode)
        if is_inf(a) and is_inf(b) or is_zero(a) and is_zero(b):
            return CANONICAL_NAN, INV
        if is_inf(a) or is_inf(b):
            return (INF if is_inf(a) else 0) | sign, 0
        if is_zero(b):
            return INF | sign, DZE
        return deliver_ieee(unpack(a, fmt.bias) / unpack(b, fmt.bias), sign, fmt, mode)
    return f


def ieee_sqrt(fmt):
    def f(_, b, mode):
        if is_nan(b):
            return propagate(0, b, fmt)
        if is_zero(b) or b == INF:
            return b, 0
        if b & SIGN:
            return CANONICAL_NAN, INV
        return deliver_ieee(square_root(unpack(b, fmt.bias)), 0, fmt, mode)
    return f


def ieee_convert(fmt):
    def f(_, b, mode):
        if is_nan(b):
            return propagate(0, b, fmt)
        if is_inf(b):
            return b, 0
        return deliver_ieee(unpack(b, 1023), b & SIGN, fmt, mode)
    return f


def compare(op):
    def f(a, b, _):
        if is_nan(a) or is_nan(b):
            invalid = signaling(a) or signaling(b) or op in ("lt", "le")
            return TRUE if op == "un" else 0, INV if invalid else 0
        x, y = (unpack(v, 1023) if not is_inf(v) else -HUGE if v & SIGN else HUGE for v in (a, b))
        return TRUE if {"un": False, "eq": x == y, "lt": x < y, "le": x <= y}[op] else 0, 0
    return f


def to_quad(bias):
    def f(_, b, mode):
        if bias == 1023 and (is_nan(b) or is_inf(b)):
            return 0, INV
        x = unpack(b, bias)
        n = round_integer(abs(x), x < 0, mode) * (-1 if x < 0 else 1)
        if not -(1 << 63) <= n < 1 << 63:
            return n & M64, IOV | INE
        return n & M64, INE if n != x else 0
    return f


def from_quad(fmt, deliver):
    return lambda _, b, mode: deliver(Fraction(s64(b)), 0, fmt, mode)


def deliver_vax(x, _, fmt, mode):
    if x == 0:
        return 0, 0
    rounded, inexact = round_value(abs(x), x < 0, fmt, "a" if mode == "n" else mode)
    e = exponent_of(rounded)
    if e > fmt.high:
        return 0, OVF
    if e < fmt.low:
        return 0, UNF
    return pack(rounded, x < 0, fmt), INE if inexact else 0


def vax_binary(op, fmt):
    def f(a, b, mode):
        x, y = unpack(a, fmt.bias), unpack(b, fmt.bias)
        if op == "div" and y == 0:
            return 0, DZE
        exact = x / y if op == "div" else {"add": x + y, "sub": x - y, "mul": x * y}[op]
        return deliver_vax(exact, 0, fmt, mode)
    return f


def vax_sqrt(fmt):
    def f(_, b, mode):
        x = unpack(b, fmt.bias)
        return (0, INV) if x < 0 else deliver_vax(square_root(x) if x else x, 0, fmt, mode)
    return f


def vax_compare(op):
    def f(a, b, _):
        x, y = unpack(a, G.bias), unpack(b, G.bias)
        return TRUE if {"eq": x == y, "lt": x < y, "le": x <= y}[op] else 0, 0
    return f


RNG = random.Random(67)


def random_images(count, fmt, spread):
    """Numbers near one and all over the exponent range; F and S keep 23 fraction bits."""
    keep = M64 if fmt.precision == 53 else ~((1 << 29) - 1)
    out = []
    for i in range(count):
        e = RNG.randint(-spread, spread) if i % 3 else RNG.randint(fmt.low, fmt.high)
        out.append((RNG.getrandbits(1) << 63 | (e + fmt.bias) << 52 | RNG.getrandbits(52)) & keep)
    return out


def finite_edges(fmt):
    one, lsb = fmt.bias << 52, 1 << (53 - fmt.precision)
    largest = (fmt.high + fmt.bias) << 52 | ((1 << 52) - lsb)
    smallest = (fmt.low + fmt.bias) << 52
    third = pack(round_value(Fraction(1, 3), False, fmt, "n")[0], False, fmt)
    positive = [0, one, one + lsb, one - lsb,
                one + (1 << 52), third, (fmt.bias + fmt.precision - 1 << 52) | lsb,
                (fmt.bias - fmt.precision) << 52, largest, smallest, smallest + lsb,
                (fmt.bias + 3 << 52) | 0x4 << 48]
    return positive + [v | SIGN for v in positive]


def pairs_of(fmt, vax):
    edges = finite_edges(fmt)
    if vax:
        edges = [v for v in edges if v != SIGN]
    extra = [] if vax else INFINITIES
    r = random_images(120, fmt, 30)
    return [(a, b) for a in edges + extra for b in edges + extra] + list(zip(r[::2], r[1::2]))


def nan_pairs(fmt):
    nans = [0x7FF8 << 48, 0xFFF8 << 48, 0x7FFABCDE << 32, 0x7FF4 << 48, 0xFFF2 << 48,
            0x7FF00001 << 32]
    others = [0, SIGN, fmt.bias << 52, INF, INF | SIGN] + nans
    return [(a, b) for a in others for b in others]


INTEGERS = [0, 1, 2, 3, 0xFFFFFF, 0x1000001, 0x1000003, 0x1FFFFFFFFFFFFF, 0x20000000000001,
            0x20000000000003, 0x3FFFFFFFFFFFFD, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000,
            0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFEFFFFFF, 0x7FFFFFFFFFFFFC00, 0x7FFFFFFFFFFFFDFF,
            0x123456789ABCDEF0]


def to_quad_operands(bias):
    """Halves, neighbours of 2**52, 2**63 and beyond."""
    values = []
    fmt = T if bias == 1023 else G
    whole = [1, 1 << 52, (1 << 52) + 1, (1 << 63) - 1024, 1 << 63, 3 << 62, 1 << 64,
             (1 << 64) + 4096, ((1 << 53) - 1) << 40, 1 << 130]
    parts = [(1, 2), (3, 2), (5, 2), (1, 4), (7, 8), ((1 << 53) - 1, 2), (1, 1 << 60)]
    for x in [Fraction(n) for n in whole] + [Fraction(n, d) for n, d in parts]:
        values += [pack(x, False, fmt), pack(x, True, fmt)]
    return [(0, v) for v in [0] + values]


class Test:
    """One instruction over operands; `dynamic` is the FPCR's rounding mode."""

    def __init__(self, name, insn, operands, function, mode, dynamic=None, flags=True):
        self.name, self.insn, self.dynamic, self.flags = name, insn, MODES[dynamic or "n"], flags
        self.rows = [(a, b) + function(a, b, mode) for a, b in operands]


def select(function, mode, pairs, wanted):
    return [(a, b) for a, b in pairs if wanted(a, b, *function(a, b, mode))]


def invalid(function, pairs):
    """Operands that are no NaNs and have no result."""
    return select(function, "n", pairs, lambda a, b, r, _: is_nan(r))


def ieee_variants(name, source, function, pairs):
    """All roundings with all traps of results off; underflows and NaNs in tests of their own."""
    function = lru_cache(None)(function)
    tests = []
    suffix = "v" if name == "cvttq" else "u"

    def plain(a, b, _, flags):
        return not flags & (UNF | INV | IOV)

    def underflows(a, b, _, flags):
        return flags & UNF

    for qualifier, mode, dynamic in (("", "n", None), ("c", "c", None), ("m", "m", None),
                                     ("d", "c", "c"), ("d", "m", "m"), ("d", "n", "n"),
                                     ("d", "p", "p")):
        if name in ("cvtst", "cmpteq", "cmptlt", "cmptle", "cmptun") and qualifier:
            continue
        if name == "cvtst":
            full = name + "/s"
        elif name.startswith("cmp"):
            full = name + "/su"
        else:
            full = f"{name}/s{suffix}i{qualifier}"
        label = full + (" dynamic " + dynamic if dynamic else "")
        insn = f"{full} {source}"
        rows = select(function, mode, pairs, plain)
        tests.append(Test(label, insn, rows, function, mode, dynamic))
        tiny = select(function, mode, pairs, underflows)
        if tiny:
            tests.append(Test(label + " underflow", insn, tiny, function, mode, dynamic))
    return tests


def ieee_tests():
    both, one = "$f10, $f11, $f12", "$f11, $f12"
    tests = []
    for letter, fmt in (("s", S), ("t", T)):
        pairs = pairs_of(fmt, False)
        singles = [(0, v) for v in finite_edges(fmt) + INFINITIES + random_images(60, fmt, 40)]
        nans = nan_pairs(fmt)
        for op in ("add", "sub", "mul", "div"):
            f = ieee_binary(op, fmt)
            tests += ieee_variants(op + letter, both, f, pairs)
            insn = f"{op}{letter}/sui {both}"
            with_nan = [(a, b) for a, b in nans if is_nan(a) or is_nan(b)]
            tests.append(Test(f"{op}{letter}/sui NaN", insn, with_nan, f, "n"))
            tests.append(Test(f"{op}{letter}/sui invalid", insn, invalid(f, pairs), f, "n"))
            # Without /S and with finite numbers only, as compilers without IEEE support emit.
            for q, mode in (("", "n"), ("/c", "c"), ("/m", "m"), ("/d", "n")):
                finite = select(f, mode, pairs, lambda a, b, r, flags: not flags & ~INE
                                and not is_inf(a) and not is_inf(b))
                tests.append(Test(f"{op}{letter}{q}", f"{op}{letter}{q} {both}", finite, f, mode))
        f = ieee_sqrt(fmt)
        tests += ieee_variants("sqrt" + letter, one, f, singles)
        insn = f"sqrt{letter}/sui {one}"
        with_nan = [(0, b) for a, b in nans if a == 0 and is_nan(b)]
        tests.append(Test(f"sqrt{letter}/sui NaN", insn, with_nan, f, "n"))
        tests.append(Test(f"sqrt{letter}/sui invalid", insn, invalid(f, singles), f, "n"))
    wide = finite_edges(T) + finite_edges(S) + INFINITIES + random_images(120, T, 100)
    wide = [(0, v) for v in wide]
    wide += [(0, 0x3FF << 52 | f << 28) for f in (1, 2, 3, 6, 7)] + [(0, 0x47EFFFFFF << 28)]
    narrow = [(0, v) for v in finite_edges(S) + INFINITIES + random_images(30, S, 100)]
    nans = [(0, b) for a, b in nan_pairs(T) if a == 0]
    tests += ieee_variants("cvtts", one, ieee_convert(S), wide)
    tests.append(Test("cvtts/sui NaN", f"cvtts/sui {one}", nans, ieee_convert(S), "n"))
    tests += ieee_variants("cvtst", one, ieee_convert(T), narrow)
    tests.append(Test("cvtst/s NaN", f"cvtst/s {one}", nans, ieee_convert(T), "n"))
    integers = [(0, v) for v in INTEGERS] + [(0, RNG.getrandbits(64)) for _ in range(40)]
    for letter, fmt in (("s", S), ("t", T)):
        tests += ieee_variants("cvtq" + letter, one, from_quad(fmt, deliver_ieee), integers)
    quad = to_quad(1023)
    tests += ieee_variants("cvttq", one, quad, to_quad_operands(1023) + narrow)
    for q, mode in (("", "n"), ("/c", "c")):
        large = select(quad, mode, to_quad_operands(1023), lambda a, b, r, flags: flags & IOV)
        tests.append(Test(f"cvttq{q} overflow", f"cvttq{q} {one}", large, quad, mode))
    no_number = [(0, b) for b in INFINITIES + [CANONICAL_NAN]]
    tests.append(Test("cvttq/svi no number", f"cvttq/svi {one}", no_number, quad, "n"))
    for op in ("eq", "lt", "le", "un"):
        f = compare(op)
        tests += ieee_variants("cmpt" + op, both, f, pairs_of(T, False))
        tests.append(Test(f"cmpt{op}/su NaN", f"cmpt{op}/su {both}", nan_pairs(T), f, "n"))
    return tests


def vax_tests():
    both, one = "$f10, $f11, $f12", "$f11, $f12"
    tests = []

    def fine(a, b, _, flags):
        return not flags & ~INE

    def add(label, insn, pairs, function, mode):
        rows = select(function, mode, pairs, fine)
        tests.append(Test(label, insn, rows, function, mode, flags=False))
        tiny = select(function, mode, pairs, lambda a, b, _, flags: flags & UNF)
        if tiny:
            tests.append(Test(label + " underflow", insn, tiny, function, mode, flags=False))

    for letter, fmt in (("f", F), ("g", G)):
        pairs = pairs_of(fmt, True)
        singles = [(0, v) for v in finite_edges(fmt) + random_images(60, fmt, 40) if v != SIGN]
        for q, mode in (("", "n"), ("/c", "c")):
            for op in ("add", "sub", "mul", "div"):
                add(f"{op}{letter}{q}", f"{op}{letter}{q} {both}", pairs, vax_binary(op, fmt), mode)
            add(f"sqrt{letter}{q}", f"sqrt{letter}{q} {one}", singles, vax_sqrt(fmt), mode)
    gs = finite_edges(G) + finite_edges(F) + random_images(80, G, 100)
    gs = [(0, v) for v in gs if v != SIGN]
    integers = [(0, v) for v in INTEGERS] + [(0, RNG.getrandbits(64)) for _ in range(40)]
    for q, mode in (("", "n"), ("/c", "c")):
        to_f = lambda a, b, m: deliver_vax(unpack(b, G.bias), 0, F, m)
        add(f"cvtgf{q}", f"cvtgf{q} {one}", gs, to_f, mode)
        for letter, fmt in (("f", F), ("g", G)):
            from_q = from_quad(fmt, deliver_vax)
            add(f"cvtq{letter}{q}", f"cvtq{letter}{q} {one}", integers, from_q, mode)
        quad = to_quad(G.bias)
        vax_mode = "a" if mode == "n" else mode
        rows = to_quad_operands(G.bias)
        tests.append(Test(f"cvtgq{q}", f"cvtgq{q} {one}", rows, quad, vax_mode, flags=False))
    for op in ("eq", "lt", "le"):
        add(f"cmpg{op}", f"cmpg{op} {both}", pairs_of(G, True), vax_compare(op), "n")
    return tests


def emit(area):
    """One stub a test: stub(const u64 operands[2], u64* result), the instruction as third word."""
    tests = ieee_tests() if area == "ieee" else vax_tests()
    out = ["  .set noat\n  .set noreorder\n  .arch ev67\n  .text\n"]
    for i, t in enumerate(tests):
        out.append(f"  .align 4\nstub{i}:\n  ldt $f10, 0($16)\n  ldt $f11, 8($16)\n  {t.insn}\n"
                   "  trapb\n  stt $f12, 0($17)\n  ret $31, ($26), 1\n")
    out.append("  .section .rodata\n  .align 3\n")
    for i, t in enumerate(tests):
        out.append(f"rows{i}:\n" + quads(v for row in t.rows for v in row))
        out.append(f'name{i}:\n  .asciz "{t.name}"\n  .align 3\n')
    out.append("  .globl float_count\nfloat_count:\n  .quad %d\n" % len(tests))
    out.append("  .globl float_tests\nfloat_tests:\n")
    for i, t in enumerate(tests):
        options = int(t.flags) + 2 * int("/s" in t.insn)
        out.append(f"  .quad name{i}, stub{i}, rows{i}, {len(t.rows)}, {t.dynamic}, {options}\n")
    out.append('  .section .note.GNU-stack, "", @progbits\n')
    return "".join(out)
