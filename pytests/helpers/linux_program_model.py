"""What the programs fptraps and fpdump print, from their tables of operands and the model of floating point."""

import re

from conformance.witness.linux_float_model import CODES, LOAD, M64, STORE, VAX, Process, s64, status_text
from helpers.tree import ROOT

PROGRAMS = ROOT / "conformance/guests/linux/programs"


def constants(source):
    """The #defines that are numbers, and the macros of one argument x that compute some."""
    names = {}
    for name, argument, text in re.findall(r"^#define (\w+)(\(x\))? (0x\w+|\(\(x\).*\))$", source, re.M):
        names[name] = eval(f"lambda x: {text}" if argument else text)  # pylint: disable=eval-used
    return names


def number(text, names):
    """A C expression of those."""
    plain = re.sub(r"\b(0x[0-9a-fA-F]+|\d+)ul\b", r"\1", text.strip())
    return eval(plain, dict(names)) & M64  # pylint: disable=eval-used


def formats(op):
    """Formats of operands and result in memory, from an instruction's name."""
    if op.startswith("cvt"):
        of = {"q": "t", "l": "t", "d": "g"}
        return of.get(op[3], op[3]), of.get(op[4], op[4])
    if op.startswith("cmp"):
        return op[3], op[3]
    return op[-1], op[-1]


UNARY = ("sqrt", "cvt")


class Instruction:
    """Loads operands from memory, executes, and stores the result, as the programs do."""

    def __init__(self, op, qualifiers, mode="n"):
        self.op, self.qualifiers, self.mode = op, qualifiers, mode
        self.load, self.store = formats(op)

    def run(self, process, a, b, filler=0):
        """(what memory holds, None) or (None, code of SIGFPE)."""
        a, b = LOAD[self.load](a), LOAD[self.load](b)
        if self.op.startswith(UNARY):
            a, b = 0, a
        image, code = process.execute(self.op, self.qualifiers, self.mode, a, b)
        if code is not None:
            return None, code
        keep = filler >> 32 << 32 if self.store in "sf" else 0
        return keep | STORE[self.store](image), None


# fptraps.

FILLER = 0x5555555555555555
MASKED, ENABLED, MAPPED = 0, 0x7E, 3 << 12
CODE_NAMES = {code: name for _, code, name in CODES}


def integer_overflow(op, a, b):
    """The integer instructions with /V: the result, or None for a trap."""
    bits = 32 if op[3] == "l" else 64
    x, y = (((v + (1 << bits - 1)) & ((1 << bits) - 1)) - (1 << bits - 1) for v in (a, b))
    result = {"add": x + y, "sub": x - y, "mul": x * y}[op[:3]]
    return result & M64 if -(1 << bits - 1) <= result < 1 << bits - 1 else None


def fptraps_line(process, name, what, mode, control, a, b):
    op, _, qualifiers = name.partition("/")
    process.set_control(control)
    if qualifiers == "v" and op[3] in "lq" and len(op) == 4:
        result = integer_overflow(op, a, b)
        code = 7 if result is None else None
    else:
        result, code = Instruction(op, qualifiers).run(process, a, b, FILLER)
    shown = f"{result:016x}" if code is None else f"SIGFPE {CODE_NAMES[code]}"
    return f"{name:<10} {what:<16} {mode:<7} {shown} [{status_text(process.status)}]"


def fptraps(kernel):
    """All lines of the program."""
    source = (PROGRAMS / "fptraps.c").read_text()
    names = constants(source)
    operands = {}
    for table, rows in re.findall(r"\[(k\w+)\] = \{((?:\s*\{[^{}]*\},?)+)\}", source):
        operands[table] = []
        for what, values in re.findall(r'\{"([^"]*)", ([^{}]*)\}', rows):
            pair = [number(text, names) for text in values.split(",")] + [0]
            operands[table].append((what, pair[0], pair[1]))
    lines = []
    rows = re.search(r"kRows\[\] = \{(.*?)\n\};", source, re.S)[1]
    for op, table, name, of in re.findall(r'ROWS\((\w+), (k\w+)\)|\{"([^"]+)", \w+, (k\w+)\}', rows):
        for full in (op, op + "/u", op + "/su", op + "/sui") if op else (name,):
            for what, a, b in operands[table or of]:
                modes = [("masked", MASKED), ("enabled", ENABLED)]
                if "denormal" in what:
                    modes.append(("mapped", MAPPED))
                process = Process(kernel)
                lines += [fptraps_line(process, full, what, *mode, a, b) for mode in modes]
    return lines


# fpdump.

MODES = {"near": "n", "chop": "c", "minus": "m", "plus": "p"}
DYNAMIC = ["chop", "minus", "near", "plus"]
PRIME = 0x100000001B3
SIGFPE = 8


class Random:
    """The program's generator."""

    def __init__(self):
        self.state = 0x9E3779B97F4A7C15

    def next(self):
        x = self.state
        x ^= x << 13 & M64
        x ^= x >> 7
        x ^= x << 17 & M64
        self.state = x
        return x

    def g(self):
        bits = self.next()
        exponent = (0x4000 + (bits >> 20 & 0x3F) - 0x20 * (bits >> 30 & 1) * 16) % 0x7FF0
        return bits & 0xFFFFFFFFFFFF800F | exponent

    def f(self):
        bits = self.next() & 0xFFFFFFFF
        return bits & 0xFFFF807F | 0x4000 | bits >> 9 & 0x0780


def random_pair(random, kind, i):
    a, b = random.next(), random.next()
    if kind in ("kPairsT", "kOneT") and i & 1:
        a, b = (v & 0x800FFFFFFFFFFFFF | 0x3FE0000000000000 | (v & 0x1F) << 52 for v in (a, b))
    if kind in ("kPairsS", "kOneS"):
        a, b = a & 0xFFFFFFFF, b & 0xFFFFFFFF
        if i & 1:
            a, b = (v & 0x807FFFFF | 0x3F000000 | (v & 7) << 23 for v in (a, b))
    if kind == "kInteger":
        a >>= b & 63
    if kind in ("kPairsG", "kOneG"):
        a = random.g()
        b = random.g()
    if kind == "kPairsF":
        a = random.f()
        b = random.f()
    return a, b


def fpdump_operands(source, kind):
    table = {"kPairsT": "kT", "kOneT": "kT", "kPairsS": "kS", "kOneS": "kS", "kInteger": "kIntegers"}
    pairs = []
    if kind in table:
        text = re.search(rf" {table[kind]}\[\] = \{{(.*?)\}};", source, re.S)[1]
        values = [number(v, {}) for v in text.split(",") if v.strip()]
        second = values if kind.startswith("kPairs") else values[:1]
        pairs = [(a, b) for a in values for b in second]
    random = Random()
    count = int(re.search(r"kRandomPairs = (\d+)", source)[1])
    return pairs + [random_pair(random, kind, i) for i in range(count)]


def copy_sign(negate=0, whole=False, single=False):
    field = 0xFFF << 52 if whole else 1 << 63
    move = "s" if single else "t"

    def f(a, b):
        a, b = LOAD[move](a), LOAD[move](b)
        return STORE[move]((a ^ negate) & field | b & ~field & M64)

    return f


def conditional_moves(a, b):
    sign, zero = a >> 63, a & ~(1 << 63) == 0
    negative = sign and not zero
    taken = [zero, not zero, negative, not negative, negative or zero, not negative and not zero]
    result = 0
    for moved in taken:
        result = (result * 31 + (b if moved else 0)) & M64
    return result


def from_integer_single(a, b):
    image = LOAD["s"](a ^ b)
    # FTOIS extends the sign.
    single = STORE["s"](image)
    return (single | (0xFFFFFFFF << 32 if single >> 31 else 0)) ^ image << 1 & M64


def from_integer_both(a, b):
    sign = 1 << 63
    return a & sign | LOAD["s"](b) & ~sign


def longword(a, _):
    return s64(a >> 63 << 63 | a) >> 62 << 30 & M64 | a >> 29 & 0x3FFFFFFF


# Rows that raise nothing.
PURE = {
    "cpys": copy_sign(), "cpysn": copy_sign(1 << 63), "cpyse": copy_sign(whole=True),
    "cpys_single": copy_sign(single=True), "fcmov": conditional_moves, "itoft": from_integer_both,
    "itofs": from_integer_single, "cvtlq": longword,
    "itoff": lambda a, b: LOAD["f"](swapped(a ^ b)),
}  # fmt: skip


def swapped(v):
    """ITOFF takes the 32 bits in register order, LDF in memory order."""
    return (v & 0xFFFF) << 16 | v >> 16 & 0xFFFF


# Rows whose name is not the instruction's.
QUALIFIED = {"cvtst_s": ("cvtst", "s"), "cvtql_sv": ("cvtql", "sv")}


def instruction(name):
    """What a row executes, in normal rounding unless its name says otherwise."""
    op, _, suffix = name.partition("_")
    if name in QUALIFIED:
        return Instruction(*QUALIFIED[name])
    if op in VAX:
        return Instruction(op, "", "c" if suffix == "c" else "n")
    return Instruction(op, "su")


def fpdump_results(kernel, name, mode, pairs):
    """Each result as the program counts it, and the status bits that are left."""
    process = Process(kernel)
    if name in PURE:
        return [PURE[name](a, b) for a, b in pairs], 0
    if mode:
        row = Instruction(name, "svi" if name == "cvttq" else "sui", MODES[mode])
    else:
        row = instruction(name)
    results = []
    for a, b in pairs:
        result, code = row.run(process, a, b)
        results.append(0xDEAD000000000000 | SIGFPE << 8 | code if code is not None else result)
    return results, process.status


def checksum(results):
    total = 0xCBF29CE484222325
    for result in results:
        total = (total ^ result) * PRIME & M64
    return total


def fpdump(kernel):
    """All lines of the program."""
    source = (PROGRAMS / "fpdump.c").read_text()
    lines = []
    rows = re.search(r"kRows\[\] = \{(.*?)\n\};", source, re.S)[1]
    for macro, name, kind in re.findall(r"(ROUNDED|PLAIN)\((\w+), (k\w+)\)", rows):
        pairs = fpdump_operands(source, kind)
        if macro == "PLAIN":
            results, status = fpdump_results(kernel, name, None, pairs)
            lines.append(f"{name:<14} {'':<5} {checksum(results):016x} [{status_text(status)}]")
            continue
        done = {mode: fpdump_results(kernel, name, mode, pairs) for mode in MODES}
        for label, modes in (("near", ["near"]), ("chop", ["chop"]), ("minus", ["minus"]), ("dynamic", DYNAMIC)):
            for mode in modes:
                results, status = done[mode]
                shown = mode if label == "dynamic" else ""
                lines.append(
                    f"{name + ' ' + label:<14} {shown:<5} {checksum(results):016x} [{status_text(status)}]"
                )
    return lines
