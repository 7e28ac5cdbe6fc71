#!/usr/bin/env python3
"""Checks the TAP of a guest kernel: a complete plan, every test "ok".

Usage: check_tap.py [--allow FILE --guest NAME [--against TRANSCRIPT]] < transcript

Lines that are not TAP (a firmware's messages) are ignored.  FILE lists differences that are known
and explained: lines "GUEST | TEST NAME | reason", where TEST NAME is a shell pattern; a listed test
may fail.  TRANSCRIPT is that of the same guest on another machine: it must have the same tests in the
same order with the same results, but for those differences; and every difference that FILE lists must
be one.  Exit 0 if all is well, 1 if not.
"""

import argparse
import fnmatch
import re
import sys

TEST = re.compile(r"(not )?ok (\d+) - (.*?)(?: # .*)?$")
PLAN = re.compile(r"1\.\.(\d+)$")


def read_allowed(path, guest):
    allowed = set()
    with open(path, encoding="ascii") as lines:
        for line in lines:
            fields = [field.strip() for field in line.split("|")]
            if len(fields) == 3 and not line.startswith("#") and fields[0] == guest:
                allowed.add(fields[1])
    return allowed


def check(text, allowed):
    """Returns a list of problems."""
    problems = []
    plan = None
    seen = 0
    for line in text.replace("\r", "").split("\n"):
        if line.startswith("Bail out!"):
            problems.append(line)
        plan_match = PLAN.match(line)
        if plan_match:
            plan = int(plan_match.group(1))
        test = TEST.match(line)
        if not test:
            continue
        seen += 1
        if int(test.group(2)) != seen:
            problems.append(f"test {test.group(2)} where {seen} was due")
            seen = int(test.group(2))
        if test.group(1) and not any(fnmatch.fnmatchcase(test.group(3), name) for name in allowed):
            problems.append(line)
    if plan is None:
        problems.append("no plan: the guest did not finish")
    elif plan != seen or plan == 0:
        problems.append(f"plan of {plan} tests, {seen} seen")
    return problems


def results(text):
    """(name, passed) of every test, in order."""
    tests = (TEST.match(line) for line in text.replace("\r", "").split("\n"))
    return [(test.group(3), not test.group(1)) for test in tests if test]


def compare(text, other, allowed):
    """Returns a list of problems."""
    problems = []
    mine, theirs = results(text), results(other)
    if [name for name, _ in mine] != [name for name, _ in theirs]:
        problems.append("the transcripts do not name the same tests")
    used = set()
    for here, there in zip(mine, theirs):
        if here != there:
            patterns = {name for name in allowed if fnmatch.fnmatchcase(here[0], name)}
            used |= patterns
            if not patterns:
                problems.append(f"the other transcript has {there}, this one {here}")
    problems += [f"a listed difference is none: {name}" for name in sorted(allowed - used)]
    return problems


def main():
    parser = argparse.ArgumentParser(description="Checks the TAP of a guest kernel on stdin.")
    parser.add_argument("--allow", help="file of known differences")
    parser.add_argument("--guest", help="the guest's name in that file")
    parser.add_argument("--against", help="a transcript of the same guest on another machine")
    args = parser.parse_args()
    allowed = read_allowed(args.allow, args.guest) if args.allow else set()
    text = sys.stdin.buffer.read().decode("latin-1")
    problems = check(text, allowed)
    if args.against:
        with open(args.against, encoding="latin-1") as other:
            problems += compare(text, other.read(), allowed)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
