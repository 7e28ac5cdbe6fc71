"""Why qemu-alpha and Linux on the chip differ after an instruction: every rule, as narrow as its reason allows.

For floating point a rule never excuses us: what we did must be what the model of chip and kernel (linux_float_model.py)
predicts, with exact fractions and from the manuals alone. A rule only names what QEMU does instead. AHB is the Alpha
Architecture Handbook, version 4; HRM the 21264/EV67 Hardware Reference Manual.
"""

import dataclasses

from conformance.witness.linux_float_model import (
    CANONICAL_NAN, DZE, FPE_FLTINV, INE, INTEGER_OPERAND, INV, IOV, OVF, SIGN, UNF, Process,
    is_denormal, is_nan, quiet, T,
)  # fmt: skip

SIGFPE, SIGTRAP = 8, 5
STATUS_SHIFT, MODE_SHIFT = 52, 58


def status_of(fpcr):
    return fpcr >> STATUS_SHIFT & 0x3F


def same_fpcr(a, b):
    """Rounding mode and status bits; the rest is a function of these and the control word."""
    return (a ^ b) >> 52 & 0xFF == 0


def whole_fpcr(fpcr, control):
    """The FPCR that belongs to a rounding mode, status bits and Linux's control word (ieee_swcr_to_fpcr)."""
    disabled = ~control
    value = fpcr & 0xFF << 52
    value |= (control >> 12 & 1) << 48  # DNZ
    value |= (disabled >> 1 & 7) << 49  # INVD, DZED, OVFD
    value |= (disabled >> 4 & 3) << 61  # UNFD, INED
    if control >> 13 & 1:
        value |= 3 << 60  # UNDZ, UNFD
    return value | (1 << 63 if status_of(fpcr) else 0)


class State:
    """Registers, window and signals, as run_sequences prints them."""

    def __init__(self, words):
        self.r, self.f, self.m, self.signals = [0] * 32, [0] * 32, {}, []
        self.unique = self.fpcr = 0
        self.update(words)

    def update(self, words):
        for word in words:
            name, _, value = word.partition("=")
            if name[0] in "rf":
                getattr(self, name[0])[int(name[1:])] = int(value, 16)
            elif name[0] == "m":
                self.m[int(name[1:])] = int(value, 16)
            elif name == "u":
                self.unique = int(value, 16)
            elif name == "p":
                self.fpcr = int(value, 16)
            else:
                number, code, offset, address = value.split(":")
                self.signals.append((int(number), int(code), int(offset, 16), int(address, 16)))

    def changed(self, words):
        """A copy with these values."""
        other = State([])
        other.r, other.f, other.m = list(self.r), list(self.f), dict(self.m)
        other.unique, other.fpcr, other.signals = self.unique, self.fpcr, list(self.signals)
        other.update(words)
        return other

    def values(self):
        found = {f"r{i}": v for i, v in enumerate(self.r)} | {f"f{i}": v for i, v in enumerate(self.f)}
        found |= {f"m{i}": v for i, v in self.m.items()}
        found |= {"unique": self.unique, "status": status_of(self.fpcr), "signals": tuple(self.signals)}
        return found


@dataclasses.dataclass(frozen=True)
class Rule:
    name: str
    reason: str
    source: str


IEEE_NAMES = {
    0x00: "adds", 0x01: "subs", 0x02: "muls", 0x03: "divs", 0x20: "addt", 0x21: "subt", 0x22: "mult", 0x23: "divt",
    0x24: "cmptun", 0x25: "cmpteq", 0x26: "cmptlt", 0x27: "cmptle", 0x2C: "cvtts", 0x2F: "cvttq", 0x3C: "cvtqs",
    0x3E: "cvtqt",
}  # fmt: skip
SQRT_NAMES = {0x0B: "sqrts", 0x2B: "sqrtt"}


def arithmetic(word):
    """(name, qualifiers, rounding: c, m, n or d) of a floating point operate that can raise exceptions, or None."""
    opcode, function = word >> 26, word >> 5 & 0x7FF
    if opcode == 0x17:
        qualifiers = {0x030: "", 0x130: "v", 0x530: "sv"}.get(function)
        return None if qualifiers is None else ("cvtql", qualifiers, "n")
    names = {0x14: SQRT_NAMES, 0x16: IEEE_NAMES}.get(opcode, {})
    name = names.get(function & 0x3F)
    if name is None:
        return None
    if function in (0x2AC, 0x6AC):
        return "cvtst", "s" if function == 0x6AC else "", "n"
    qualifiers = {0: "", 1: "u", 5: "su", 7: "sui"}[function >> 8]
    if name == "cvttq":
        qualifiers = qualifiers.replace("u", "v")
    return name, qualifiers, "cmnd"[function >> 6 & 3]


class Float:
    """A floating point operate, and what chip and kernel make of it."""

    def __init__(self, word, control, before):
        self.name, self.qualifiers, rounding = arithmetic(word)
        self.mode = "cmnp"[before.fpcr >> MODE_SHIFT & 3] if rounding == "d" else rounding
        self.a = before.f[word >> 21 & 31]
        self.b = before.f[word >> 16 & 31]
        self.target = word & 31
        self.old = before.f[self.target]
        self.software = "s" in self.qualifiers
        self.binary = not self.name.startswith(("cvt", "sqrt"))
        self.operands = [self.a, self.b] if self.binary else [self.b]
        if not self.binary:
            self.a = 0
        self.control = control
        process = Process("6.1")
        process.set_control(control)
        process.status = status_of(before.fpcr)
        _, self.flags, self.causes = process.ieee(self.name, self.qualifiers, self.mode, self.a, self.b)
        image, self.code = process.execute(self.name, self.qualifiers, self.mode, self.a, self.b)
        self.status = process.status
        self.raised = 0  # by the kernel
        if self.software and self.causes:
            # The kernel writes the result before it looks for exceptions that are enabled.
            image, self.raised = process.emulate(self.name, self.mode, self.a, self.b)
        self.image = self.left(image, process)

    def left(self, image, process):
        """The destination register."""
        if self.target == 31:
            return 0
        if image is not None:
            return image
        if self.causes & (INV | DZE | OVF):
            return self.old
        return 0 if self.causes & UNF else process.ieee(self.name, "", self.mode, self.a, self.b)[0]

    def has(self, kind):
        return self.name not in INTEGER_OPERAND and any(kind(v) for v in self.operands)


RULES = []


def rule(name, reason, source):
    RULES.append(Rule(name, reason, source))
    return name


AMASK = rule(
    "AMASK bit 12",
    "QEMU's ev67 says that it has prefetch with modify intent, which came with later chips",
    "AHB D.3 defines bits 0, 1, 2, 8 and 9",
)
INTERRUPT_FLAG = rule(
    "flag of RC and RS",
    "a return from PALcode clears it, and the kernel completes traps of which a program sees nothing (interrupts, unaligned "
    "accesses, /S); QEMU takes no such trap",
    "AHB 4.11, RC and RS",
)
GENTRAP = rule(
    "GENTRAP of a division by zero",
    "the kernel makes SIGFPE with FPE_FLTDIV of R16 = -4; QEMU does not know that code and makes it SIGTRAP",
    "Linux arch/alpha/kernel/traps.c, do_entIF; asm/gentrap.h",
)
SIGNAL_CODE = rule(
    "si_code of SIGFPE",
    "QEMU says FPE_FLTINV for every arithmetic trap, the kernel the most important exception that is raised and enabled",
    "Linux arch/alpha/math-emu/math.c, alpha_fp_emul",
)
DENORMAL_SIGNAL = rule(
    "signal after a denormal operand",
    "the chip traps for it, and the kernel signals every exception that the operation raises and the control word enables, "
    "denormal operand included, whatever the qualifiers; QEMU completes silently",
    "HRM A.8, AHB 4.7.7.3; alpha_fp_emul",
)
DENORMAL_STATUS = rule(
    "status after a denormal operand",
    "the kernel records the denormal operand and all that the operation raises; QEMU never records the first, and the rest "
    "only where a qualifier names it",
    "HRM A.8; alpha_fp_emul",
)
INEXACT = rule(
    "inexact without /I", "QEMU records INE only under /I; the chip records every exception that it detects", "HRM A.8"
)
UNDERFLOW_STATUS = rule(
    "underflow not recorded",
    "underflow is a rounded result below the smallest normal number, exact or not, and counts as inexact; QEMU records it "
    "only for inexact results under /U, and flushes silently",
    "AHB 4.7.7.7, HRM A.8",
)
UNDERFLOW_SIGNAL = rule(
    "underflow not signalled",
    "as above: the chip traps under /U, and the kernel signals what is raised and enabled",
    "AHB 4.7.7.7; alpha_fp_emul",
)
UNDERFLOW_RESULT = rule(
    "result of an underflow",
    "an underflow that does not trap delivers +0; QEMU delivers the denormal number or keeps the sign of the zero",
    "AHB 4.7.7.7, HRM A.8",
)
EXACT_DENORMAL = rule(
    "exact denormal result mapped to zero",
    "the kernel's completion maps to zero what it calls an underflow, which is never an exact result; QEMU maps every "
    "denormal result",
    "SSI_IEEE_FP_CONTROL, IEEE_MAP_UMZ; alpha_fp_emul",
)
CANONICAL = rule(
    "sign of the canonical NaN",
    "an invalid operation without a NaN operand delivers FFF8000000000000; QEMU delivers it positive",
    "AHB 4.7.10.3",
)
TWO_NANS = rule("which of two NaNs", "of two NaNs Fb's is delivered; QEMU does not prefer it", "AHB 4.7.10.4")
UNPREDICTABLE = rule(
    "destination after a trap without /S",
    "UNPREDICTABLE; QEMU stores what it computed, or the old value, where the 21264A model stores as docs/unpredictable.md says",
    "AHB 4.7.7",
)
INTEGER_OVERFLOW = rule(
    "overflow of CVTTQ and CVTQL",
    "the kernel completes /SV as an invalid operation and leaves the chip's IOV and INE in the FPCR; QEMU sets IOV alone, or "
    "neither",
    "AHB 4.7.7.8; alpha_fp_emul, CVTQL and FP_TO_INT_ROUND_D",
)
NAN_TO_INTEGER = rule(
    "CVTTQ of a quiet NaN", "the kernel raises nothing; QEMU raises INV", "AHB table B-2; alpha_fp_emul"
)
OPERAND_ORDER = rule(
    "NaN or infinity beside a denormal operand, without /S",
    "the trap is that of the NaN or infinity, and sets INV; QEMU looks at Fa first and stops at a denormal number",
    "docs/unpredictable.md: AHB and HRM do not say",
)


class Case:
    """An instruction after which the states differ."""

    def __init__(self, word, control, before, ours, theirs):
        self.word, self.control, self.before, self.ours, self.theirs = word, control, before, ours, theirs
        mine, other = ours.values(), theirs.values()
        self.keys = {key for key in mine | other if mine.get(key) != other.get(key)}
        self.float = Float(word, control, before) if arithmetic(word) else None
        self.trouble = ""

    def only_status(self):
        return self.keys == {"status"}

    def status_difference(self):
        return (self.ours.fpcr ^ self.theirs.fpcr) & 0x3F << STATUS_SHIFT

    def describe(self):
        mine, other, before = (state.values() for state in (self.ours, self.theirs, self.before))
        text = f"{self.word:08x}"
        if self.float:
            x = self.float
            text += f" {x.name}/{x.qualifiers} {x.mode} {x.a:016x} {x.b:016x} control {self.control:x}"
            text += f" status {status_of(self.before.fpcr):x}; model: {x.image:016x} {x.status:x} {x.code}"
        text += f" {self.trouble}\n"
        for key in sorted(self.keys):
            form = "{:016x}".format if key != "signals" else str
            text += f"  {key}: before {form(before.get(key, 0))} ours {form(mine[key])} theirs {form(other[key])}\n"
        return text

    def explain(self):
        """Names of the rules that explain everything, or None."""
        if self.float is None:
            name = self.integer()
            return None if name is None else {name}
        if not self.as_predicted():
            self.trouble = "we are not as the model predicts"
            return None
        names = set()
        for key in self.keys:
            name = {"signals": self.signal, "status": self.status}.get(key, self.destination)(key)
            if name is None:
                self.trouble = f"no rule for {key}"
                return None
            names.add(name)
        return names

    def integer(self):
        word = self.word
        if word >> 26 == 0x11 and word >> 5 & 0x7F == 0x61:
            target = f"r{word & 31}"
            if self.keys == {target} and self.ours.r[word & 31] ^ self.theirs.r[word & 31] == 1 << 12:
                return AMASK
        if word >> 26 == 0x18 and word & 0xEFFF == 0xE000:
            target = word >> 21 & 31
            if self.keys == {f"r{target}"} and (self.ours.r[target], self.theirs.r[target]) == (0, 1):
                return INTERRUPT_FLAG
        if word == 0xAA and self.before.r[16] == (1 << 64) - 4 and self.keys == {"signals"}:
            mine, other = self.new_signals(self.ours), self.new_signals(self.theirs)
            if [one[:2] for one in mine] == [(SIGFPE, 3)] and [one[0] for one in other] == [SIGTRAP]:
                return GENTRAP
        return None

    def new_signals(self, state):
        return state.signals[len(self.before.signals) :]

    def signal(self, _):
        x, mine, other = self.float, self.new_signals(self.ours), self.new_signals(self.theirs)
        if mine and other:
            same_place = mine[0][2:] == other[0][2:]
            return SIGNAL_CODE if x.software and same_place and other[0][:2] == (SIGFPE, FPE_FLTINV) else None
        if not mine:
            quiet_nan = x.name == "cvttq" and x.software and is_nan(x.b) and quiet(x.b, T) == x.b
            if quiet_nan:
                return NAN_TO_INTEGER
            # INE comes with the chip's IOV; what the kernel raises for it is INV.
            overflow = x.flags & IOV and x.software and x.control >> 5 & 1 and not x.control >> 1 & 1
            return INTEGER_OVERFLOW if overflow else None
        if x.software and x.has(is_denormal):
            return DENORMAL_SIGNAL
        if x.flags & UNF:
            return UNDERFLOW_SIGNAL
        return INTEGER_OVERFLOW if x.flags & IOV and x.software else None

    def status(self, _):
        x = self.float
        missing = status_of(self.ours.fpcr) & ~status_of(self.theirs.fpcr)
        if status_of(self.theirs.fpcr) & ~status_of(self.ours.fpcr):
            return None
        if x.software and x.has(is_denormal) and x.causes:
            return DENORMAL_STATUS
        if x.flags & IOV and missing & ~(INV | INE | IOV) == 0:
            return INTEGER_OVERFLOW
        if x.flags & UNF and missing & ~(UNF | INE) == 0:
            return UNDERFLOW_STATUS
        if missing == INE and "i" not in x.qualifiers:
            return INEXACT
        if missing == INV and not x.software and is_denormal(x.a):
            return OPERAND_ORDER
        return None

    def destination(self, key):
        x = self.float
        if key != f"f{x.target}":
            return None
        mine, other = self.ours.f[x.target], self.theirs.f[x.target]
        if x.causes and not x.software:
            return UNPREDICTABLE
        if mine == CANONICAL_NAN and other == CANONICAL_NAN ^ SIGN and not x.has(is_nan):
            return CANONICAL
        if x.has(is_nan) and all(map(is_nan, x.operands)) and len(x.operands) == 2 and is_nan(other):
            return TWO_NANS
        if (x.flags | x.raised) & UNF and mine == 0 and (other == SIGN or is_denormal(other)):
            return UNDERFLOW_RESULT
        if x.control >> 13 & 1 and x.causes and is_denormal(mine) and not x.raised & UNF and other & ~SIGN == 0:
            return EXACT_DENORMAL
        return None

    def as_predicted(self):
        x = self.float
        new = self.ours.signals[len(self.before.signals) :]
        mine, before = self.ours.values(), self.before.values()
        touched = {key for key in mine if mine[key] != before.get(key)}
        if x.code is None:
            signals = new == []
        else:
            signals = len(new) == 1 and new[0][:2] == (SIGFPE, x.code)
        target = f"f{x.target}"
        return (
            signals
            and mine[target] == x.image
            and mine["status"] == x.status
            and touched <= {target, "status", "signals"}
        )
