"""What a program on Linux sees of floating point on a 21264A: the chip and the kernel's completion, predicted.

The chip is AHB 4.7 and HRM A.8 with the choices of docs/unpredictable.md; its results are exact fractions, rounded once
(conformance/guests/vectors_float.py). The kernel is do_entArith in arch/alpha/kernel/traps.c, alpha_fp_emul in
arch/alpha/math-emu/math.c, the soft-fp macros that it uses, and SSI_IEEE_FP_CONTROL in osf_sys.c. None of it shares
anything with the code under alpha/.

A status is six bits: INV, DZE, OVF, UNF, INE, and in the place of the chip's IOV the kernel's DNO: the kernel copies
FPCR<57:52> to its status word as they are, so that an integer overflow shows as a denormal operand and the reverse.
"""

from functools import lru_cache
from fractions import Fraction

from conformance.guests.vectors_float import (
    CANONICAL_NAN, DZE, F, G, HUGE, INE, INF, INV, IOV, M64, OVF, S, SIGN, T, TRUE, UNF,
    compare, deliver_ieee, deliver_vax, exponent_of, from_quad, ieee_binary, ieee_convert,
    ieee_sqrt, is_inf, is_nan, is_zero, propagate, quiet, round_integer,
    signaling, square_root, to_quad, unpack, vax_binary, vax_compare,
)  # fmt: skip
from conformance.guests.vectors_integer import s64

DNO = IOV
FRACTION = (1 << 52) - 1
STATUS_NAMES = ["inv", "dze", "ovf", "unf", "ine", "dno"]
# Signal codes for the status bits; the first that is enabled is reported. asm-generic/siginfo.h.
FPE_FLTINV = 7
CODES = [
    (INV, FPE_FLTINV, "FPE_FLTINV"),
    (DZE, 3, "FPE_FLTDIV"),
    (OVF, 4, "FPE_FLTOVF"),
    (UNF, 5, "FPE_FLTUND"),
    (INE, 6, "FPE_FLTRES"),
    (DNO, 5, "FPE_FLTUND"),
]


def status_text(status):
    return " ".join(name for i, name in enumerate(STATUS_NAMES) if status >> i & 1) or "-"


def is_denormal(v):
    return v & INF == 0 and v & FRACTION != 0


# Formats in memory.


def swap_words(v, words):
    return sum((v >> 16 * i & 0xFFFF) << 16 * (words - 1 - i) for i in range(words))


def expand(v, special):
    """The register image of 32 bits of S (special: exponent 255 is infinity and NaN) or of reordered F."""
    exponent = v >> 23 & 0xFF
    if exponent == 0 or special and exponent == 255:
        wide = 0x7FF if exponent else 0
    else:
        wide = exponent + 0x380
    return v >> 31 << 63 | wide << 52 | (v & 0x7FFFFF) << 29


def shrink(v):
    return v >> 62 << 30 | v >> 29 & 0x3FFFFFFF


LOAD = {
    "s": lambda v: expand(v & 0xFFFFFFFF, True),
    "t": lambda v: v,
    "f": lambda v: expand(swap_words(v & 0xFFFFFFFF, 2), False),
    "g": lambda v: swap_words(v, 4),
}
STORE = {
    "s": shrink,
    "t": lambda v: v,
    "f": lambda v: swap_words(shrink(v), 2),
    "g": lambda v: swap_words(v, 4),
}


# The chip.


def to_long(_, b, __):
    image = (b & 0xC0000000) << 32 | (b & 0x3FFFFFFF) << 29
    return image, 0 if -(1 << 31) <= s64(b) < 1 << 31 else IOV | INE


def vax_convert(fmt, mode_of):
    return lambda _, b, mode: deliver_vax(unpack(b, G.bias), 0, fmt, mode_of(mode))


def d_to_g(_, b, mode):
    """D has 8 bits of exponent and 55 of fraction; the sign is in its place."""
    if b == 0:
        return 0, 0
    x = Fraction((1 << 55) | b & ((1 << 55) - 1), 1 << 56) * Fraction(2) ** ((b >> 55 & 0xFF) - 128)
    return deliver_vax(-x if b & SIGN else x, 0, G, mode)


def g_to_d(_, b, __):
    x = unpack(b, G.bias)
    if x == 0:
        return 0, 0
    e = exponent_of(abs(x)) + 1
    if not -127 <= e <= 127:
        return 0, OVF if e > 0 else UNF
    fraction = int(abs(x) / Fraction(2) ** e * (1 << 56)) - (1 << 55)
    return (SIGN if x < 0 else 0) | (e + 128) << 55 | fraction, 0


IEEE = {
    "sqrtt": ieee_sqrt(T), "sqrts": ieee_sqrt(S), "cvtts": ieee_convert(S), "cvtst": ieee_convert(T),
    "cvttq": to_quad(1023), "cvtqt": from_quad(T, deliver_ieee), "cvtqs": from_quad(S, deliver_ieee),
    "cvtql": to_long,
}  # fmt: skip
IEEE |= {"cmpt" + op: compare(op) for op in ("eq", "lt", "le", "un")}
VAX = {"cmpg" + op: vax_compare(op) for op in ("eq", "lt", "le")}
for letter, kind in (("s", S), ("t", T)):
    IEEE |= {op + letter: ieee_binary(op, kind) for op in ("add", "sub", "mul", "div")}
for letter, kind in (("f", F), ("g", G)):
    VAX |= {op + letter: vax_binary(op, kind) for op in ("add", "sub", "mul", "div")}
    VAX["cvtq" + letter] = from_quad(kind, deliver_vax)
VAX |= {
    "cvtgf": vax_convert(F, lambda mode: mode),
    "cvtdg": d_to_g,
    "cvtgd": g_to_d,
    "cvtgq": lambda _, b, mode: to_quad(G.bias)(0, b, "a" if mode == "n" else mode),
}
INTEGER_OPERAND = {"cvtqt", "cvtqs", "cvtql", "cvtqf", "cvtqg"}


# The kernel's soft-fp.


def value(v, fmt):
    if is_denormal(v):
        x = Fraction(v & FRACTION, 1 << 52) * Fraction(2) ** fmt.low
        return -x if v & SIGN else x
    return unpack(v, 1023)


def round_and_pack(x, zero_sign, fmt, mode):
    """With denormal results; a result is tiny before it is rounded, and underflow only when inexact."""
    if x == 0 or exponent_of(abs(x)) >= fmt.low:
        return deliver_ieee(x, zero_sign, fmt, mode)
    sign = SIGN if x < 0 else 0
    units = abs(x) / Fraction(2) ** (fmt.low - fmt.precision + 1)
    whole = round_integer(units, x < 0, mode)
    # A carry out of the fraction makes the smallest normal number: an exponent of 1.
    image = sign | whole << (53 - fmt.precision) if fmt is T else sign | expand(whole, True)
    return image, 0 if whole == units else INE | UNF


def two_nans(a, b):
    """Not what sfp-machine.h says that it wants: the sign is Fb's and the fraction Fa's."""
    return a & ~SIGN & M64 | b & SIGN


def emulated_binary(op, fmt):
    def f(a, b, mode):
        if is_nan(a) or is_nan(b):
            nan = two_nans(a, b) if is_nan(a) and is_nan(b) else a if is_nan(a) else b
            return quiet(nan, fmt), INV if signaling(a) or signaling(b) else 0
        if is_inf(a) or is_inf(b) or op == "div" and is_zero(b):
            # Any finite number in the place of a denormal one gives the same result.
            one = fmt.bias << 52
            return ieee_binary(op, fmt)(*(v & SIGN | one if is_denormal(v) else v for v in (a, b)), mode)
        x, y = value(a, fmt), value(b, fmt)
        if op in ("add", "sub"):
            c = b ^ SIGN if op == "sub" else b
            same_zero = is_zero(a) and is_zero(c) and a == c
            zero_sign = a & SIGN if same_zero else mode == "m"
            return round_and_pack(x + y if op == "add" else x - y, zero_sign, fmt, mode)
        if op == "div" and x == y == 0:
            return CANONICAL_NAN, INV
        return round_and_pack(x * y if op == "mul" else x / y, (a ^ b) & SIGN, fmt, mode)
    return f


def emulated_sqrt(fmt):
    def f(_, b, mode):
        if is_denormal(b) and not b & SIGN:
            return round_and_pack(square_root(value(b, fmt)), 0, fmt, mode)
        return (CANONICAL_NAN, INV) if is_denormal(b) else ieee_sqrt(fmt)(0, b, mode)
    return f


def emulated_narrowing(_, b, mode):
    if is_nan(b) or is_inf(b):
        return propagate(0, b, S) if is_nan(b) else (b, 0)
    return round_and_pack(value(b, T), b & SIGN, S, mode)


def emulated_widening(_, b, mode):
    return round_and_pack(value(b, S), 0, T, mode) if is_denormal(b) else ieee_convert(T)(0, b, mode)


def emulated_to_quad(_, b, mode):
    if is_nan(b) or is_inf(b):
        return 0, 0 if is_nan(b) and not signaling(b) else INV
    x = value(b, T)
    n = round_integer(abs(x), x < 0, mode) * (-1 if x < 0 else 1)
    flags = INE if n != x else 0
    return n & M64, flags | (INV if abs(n) >= 1 << 63 else 0)


def emulated_compare(op):
    def f(a, b, _):
        if is_nan(a) or is_nan(b):
            return compare(op)(a, b, "n")
        x, y = (value(v, T) if not is_inf(v) else -HUGE if v & SIGN else HUGE for v in (a, b))
        return TRUE if {"un": False, "eq": x == y, "lt": x < y, "le": x <= y}[op] else 0, 0
    return f


EMULATED = {
    "sqrtt": emulated_sqrt(T), "sqrts": emulated_sqrt(S), "cvtts": emulated_narrowing,
    "cvtst": emulated_widening, "cvttq": emulated_to_quad, "cvtqt": IEEE["cvtqt"],
    "cvtqs": IEEE["cvtqs"], "cvtql": lambda _, b, mode: (to_long(0, b, mode)[0], INV),
}  # fmt: skip
EMULATED |= {"cmpt" + op: emulated_compare(op) for op in ("eq", "lt", "le", "un")}
for letter, kind in (("s", S), ("t", T)):
    EMULATED |= {op + letter: emulated_binary(op, kind) for op in ("add", "sub", "mul", "div")}
# The emulation does not know VAX formats: G is to it the T of the same bits.
EMULATED |= {op + "g": EMULATED[op + "t"] for op in ("add", "sub", "mul", "div")}

# Exact arithmetic is slow; programs repeat themselves.
IEEE, VAX, EMULATED = (
    {op: lru_cache(None)(function) for op, function in table.items()}
    for table in (IEEE, VAX, EMULATED)
)


class Process:
    """The floating point state of a process and what its instructions do."""

    def __init__(self, kernel):
        self.restores_status = kernel == "6.12"
        self.set_control(0)

    def set_control(self, word):
        """ieee_set_fp_control: trap enables <6:1>, mapping <13:12>, status <22:17>."""
        self.enabled = word >> 1 & 0x3F
        self.denormals_are_zero = bool(word >> 12 & 1)
        self.underflow_is_zero = bool(word >> 13 & 1)
        self.status = self.recorded = word >> 17 & 0x3F

    def execute(self, op, qualifiers, mode, a, b):
        """Register images to (image, None), or (None, code of SIGFPE)."""
        image, flags, causes = (self.vax if op in VAX else self.ieee)(op, qualifiers, mode, a, b)
        self.status |= flags
        if causes is None:
            return image, None
        if "s" not in qualifiers:
            return None, FPE_FLTINV
        return self.complete(op, mode, a, b, causes)

    def ieee(self, op, qualifiers, mode, a, b):
        """The chip: (image, status bits, causes of the trap or None)."""
        software = "s" in qualifiers
        if op not in INTEGER_OPERAND:
            if software and self.denormals_are_zero:
                a, b = (v & SIGN if is_denormal(v) else v for v in (a, b))
            special = is_nan if op.startswith("cmpt") else lambda v: is_nan(v) or is_inf(v)
            if not software and (special(a) or special(b)):
                return None, INV, INV
            if is_denormal(a) or is_denormal(b):
                return None, 0, INV
        image, flags = IEEE[op](a, b, mode)
        causes = flags & self.reported(qualifiers)
        return image, flags, causes or None

    def reported(self, qualifiers):
        """The exceptions that trap."""
        software = "s" in qualifiers
        traps = INV | DZE | OVF
        if software:
            traps &= self.enabled
        # UNFD and UNDZ are both needed, and the kernel sets both to map underflow to zero.
        if "u" in qualifiers and not (software and self.underflow_is_zero):
            traps |= UNF
        if "i" in qualifiers:
            traps |= INE & self.enabled
        if "v" in qualifiers:
            traps |= IOV
        return traps

    def vax(self, op, qualifiers, mode, a, b):
        """VAX instructions leave the FPCR alone."""
        exponent = 0xFF << 55 if op == "cvtdg" else INF
        if op not in INTEGER_OPERAND and any(v & exponent == 0 and v for v in (a, b)):
            return None, 0, INV
        image, flags = VAX[op](a, b, mode)
        causes = flags & (INV | DZE | OVF | (UNF if "u" in qualifiers else 0))
        return image, 0, causes or None

    def emulate(self, op, mode, a, b):
        """What alpha_fp_emul writes to the destination, whatever it then signals, and the exceptions that it raises."""
        denormal = op not in INTEGER_OPERAND and (is_denormal(a) or is_denormal(b))
        mapped = denormal and self.denormals_are_zero
        if mapped:
            a, b = (v & SIGN if is_denormal(v) else v for v in (a, b))
        image, raised = EMULATED[op](a, b, mode)
        if mapped and not op.startswith("cmp"):
            raised |= INE  # soft-fp calls the mapping of an operand inexact
        if raised & UNF and self.underflow_is_zero:
            image = 0
        return image, raised | (DNO if denormal else 0)

    def complete(self, op, mode, a, b, causes):
        """alpha_fp_emul."""
        image, raised = self.emulate(op, mode, a, b)
        self.status |= raised
        self.recorded |= raised
        if self.restores_status:
            spurious = causes & ~IOV
            if spurious & (UNF | OVF):
                spurious |= INE
            elif not spurious:
                spurious = INE | UNF
            self.status &= ~(spurious & ~self.recorded)
        for bit, code, _ in CODES:
            if raised & self.enabled & bit:
                return None, code
        return image, None
