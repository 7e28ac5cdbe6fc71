"""What it would come to to run the turns of a round on several cores of the host: a model, of what round_study has found.

All turns of a round begin at once, each with what memory was at the beginning of the round. They are made good in the order in
which they are taken today: one that has read what a turn before it has written, or that found interrupts, lock or
horizon as they were before, is run again when its turn has come, as the only one. So is a turn from its first access to a
device on, for which it waits. The cores meet behind each round. Times are nanoseconds.

It flatters: what one thread does besides the CPUs (events of devices, checkpoints, the comparison with the log) is shared out
among the cores like instructions; to tell values from blocks, and to have a state in the middle of a turn to go back to, costs no more than to
tell blocks; and a turn that begins because nobody knew yet that its CPU has come to the horizon is not counted.
"""

import collections

# By what one tells that a turn has to be run again, of the columns of round_study: the whole page or block that it has read,
# the bytes, or what they are. Pages that two turns have written cannot be put together.
GRAINS = {
    "page": ("stale_page", "page_written_again"),
    "block": ("stale_block",),
    "byte": ("stale_byte",),
    "value": ("stale_value",),
}
# A way of doing it: by which grain, and whether of such a turn only the rest is run again.
DESIGNS = {"page": ("page", False), "block": ("block", False), "value": ("value", False), "value, rest": ("value", True)}
# An entry of the lookaside is filled anew for each page of a turn where pages are told apart: an exit of translated code and
# a look into the TLB. Assumed.
REFILL = 50.0


def rounds_of(found):
    """The rounds of what round_study has written: lists of turns."""
    row = collections.namedtuple("Row", [name.replace(" ", "_") for name in found["columns"]])
    rounds = []
    for values in found["turns"]:
        turn = row(*values)
        if rounds and rounds[-1][0].round == turn.round:
            rounds[-1].append(turn)
        else:
            rounds.append([turn])
    return rounds


def conflict_of(turn, grain):
    """How many instructions of a turn come before what would have gone wrong; -1: nothing would."""
    if turn.interrupts_changed or turn.lock_lost:
        return 0
    places = [getattr(turn, column) for column in GRAINS[grain]]
    if turn.horizon_moved:
        places.append(turn.instructions)
    return min((place for place in places if place >= 0), default=-1)


def overhead_of(turn, grain, costs):
    """What a turn takes more than when it is run alone, and what it takes to make it good."""
    if grain == "page":
        copies = costs["page copy"] * turn.pages_written
        return REFILL * (turn.pages_read + turn.pages_written) + copies, copies
    more = turn.loads * max(0.0, costs["marked load"] - costs["load"])
    more += turn.stores * max(0.0, costs["buffered store"] - costs["store"])
    return more, costs["check"] * turn.blocks_read + costs["buffered block"] * turn.blocks_written


def time_of_round(turns, design, cores, costs, instruction):
    """Of the turns of one round, in their order, on so many cores, when an instruction takes so long."""
    grain, rest = DESIGNS[design]
    free = [0.0] * cores
    done = 0.0  # when the turn before has been made good
    for turn in turns:
        core = min(range(cores), key=free.__getitem__)
        begin, length = free[core], turn.instructions * instruction
        if begin >= done:  # it is the only one that has not
            free[core] = done = begin + length
            continue
        overhead, commit = overhead_of(turn, grain, costs)
        conflict = conflict_of(turn, grain)
        stop = conflict
        if turn.device >= 0 and not 0 <= conflict <= turn.device:
            stop = turn.device
        if stop < 0:
            ready = begin + length + overhead
            done = max(done, ready) + commit
            free[core] = ready + commit
            continue
        before = stop * instruction  # what need not be run again
        if stop == conflict and not rest:
            before = 0.0
        ready = begin + before + overhead * before / length if before else begin
        free[core] = done = max(done, ready) + commit + length - before
    return done + costs["barrier"]


def time_of(rounds, design, cores, costs, instruction):
    """Of all rounds. A round of one turn needs no other core."""
    time = 0.0
    for turns in rounds:
        if len(turns) == 1:
            time += turns[0].instructions * instruction
        else:
            time += time_of_round(turns, design, cores, costs, instruction)
    return time


def share(part, whole):
    return part / whole if whole else 0.0


def figures_of(rounds):
    """What the turns have to do with one another."""
    turns = [turn for those in rounds for turn in those]
    shared = [those for those in rounds if len(those) > 1]
    later = [turn for those in shared for turn in those[1:]]
    instructions = sum(turn.instructions for turn in turns)
    result = {"rounds": len(rounds), "turns a round": share(len(turns), len(rounds))}
    result["instructions a turn"] = share(instructions, len(turns))
    for name in ("pages_read", "pages_written", "blocks_read", "blocks_written", "quadwords_written"):
        result[f"{name.replace('_', ' ')} a turn"] = share(sum(getattr(turn, name) for turn in turns), len(turns))
    for name in ("loads", "stores"):
        result[f"{name} an instruction"] = share(sum(getattr(turn, name) for turn in turns), instructions)
    # Of the turns that are not the first of their round.
    result["run again"] = {
        grain: share(sum(conflict_of(turn, grain) >= 0 for turn in later), len(later)) for grain in GRAINS
    }
    result["rounds with one"] = {
        grain: share(sum(any(conflict_of(turn, grain) >= 0 for turn in those[1:]) for those in shared), len(shared))
        for grain in GRAINS
    }
    for name, is_so in {
        "with device": lambda turn: turn.device >= 0,
        "interrupts changed": lambda turn: turn.interrupts_changed,
        "lock lost": lambda turn: turn.lock_lost,
        "horizon moved": lambda turn: turn.horizon_moved,
        "block written again": lambda turn: turn.block_written_again >= 0,
        "page written again": lambda turn: turn.page_written_again >= 0,
    }.items():
        result[name] = share(sum(map(is_so, later)), len(later))
    longest = sum(max(turn.instructions for turn in those) for those in rounds)
    result["most"] = share(instructions, longest)
    return result
