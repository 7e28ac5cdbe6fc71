"""Tests of a kernel of one's own. `engine` makes a test run once on each engine that isochron has."""

import pytest

from isochron import ExpectError, Input, Log, engines


def test_capitals(machine, kernel, engine):
    with machine(kernel=kernel).run() as session:
        session.expect("capitals> ", within=10e6)  # guest cycles: no slow host can make this fail
        session.send("Hello, 42 z{")
        assert session.expect("{").before == "HELLO, 42 Z"
        session.send("\x04")
        result = session.finish()
    assert (result.exit_code, result.reason) == (0, "power-off")


def test_a_prompt_comes_once(machine, kernel, engine):
    with machine(kernel=kernel).run() as session:
        session.expect("capitals> ")
        session.send("x")
        with pytest.raises(ExpectError):
            session.expect("capitals> ", within=10e6)


def test_a_recording_is_a_function_of_its_input(machine, kernel, isochron):
    identities = set()
    for name in engines(isochron):
        with machine(kernel=kernel, engine=name).record(f"{name}.log") as session:
            session.expect("> ")
            session.send("abc")
            session.run(100e6)
            session.send("def\x04")
            identities.add(session.finish().log.identity)
    assert len(identities) == 1
    assert [event.bytes for event in Log("ref.log") if isinstance(event, Input)] == [b"abc", b"def\x04"]


def test_a_replay_can_be_watched(machine, kernel, engine):
    with machine(kernel=kernel).record("log") as session:
        session.expect("> ")
        session.send("abc")
        session.run(10e6)
        session.send("\x04")
        recorded = session.finish()
    with machine(kernel=kernel).replay("log") as watcher:
        assert watcher.expect("B").before.endswith("A")
        assert watcher.stats().symbol != ""
        result = watcher.finish()
    assert not result.diverged and result.equal_events == recorded.log.events
