"""`isochron report`: a recording as a page."""

import html
import json
import re
import shutil
import subprocess

import pytest

from helpers.commands import assert_refused, run, write
from helpers.guests import own_guest
from helpers.recordings import CONVERSATION, dump, record, replay
from isochron import engines

HOSTILE = '</script><script>alert(1)</script><!--<b>&"'


def make_page(isochron, log, path, *args):
    result = run(isochron, "report", str(log), "-o", str(path), *args)
    assert result.returncode == 0 and result.stdout == b"", result.stderr.decode()
    assert not path.with_name(path.name + ".partial").exists()
    return path.read_text()


def data_of(page):
    """What the page is about: the object that its script reads, found as a browser finds it."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script', page, re.S)[1])


def ask(isochron, log, question):
    result = run(isochron, "query", str(log), question, "--json")
    assert result.returncode == 0
    return [json.loads(line) for line in result.stdout.decode().splitlines()]


def trace(isochron, log, begin, end):
    result = run(isochron, "trace", str(log), "--json", "--from", str(begin), "--to", str(end))
    return [json.loads(line) for line in result.stdout.decode().splitlines()]


def lane(data, name):
    return next(lane for lane in data["lanes"] if lane["id"] == name)


def amounts(data, part):
    """Of each span."""
    spans = [0] * data["spans"]
    for first, *values in part["spans"]:
        spans[first : first + len(values)] = values
    assert sum(spans) == part["total"]
    return spans


def assert_counts(data, name, cycles):
    """The parts of a lane count what happened at these cycles."""
    wanted = [0] * data["spans"]
    for cycle in cycles:
        wanted[min(cycle // data["span_cycles"], data["spans"] - 1)] += 1
    counted = [sum(values) for values in zip(wanted, *[[-n for n in amounts(data, part)] for part in lane(data, name)["parts"]])]
    assert not any(counted)


@pytest.fixture(scope="module", name="talk")
def recorded_talk(isochron, console_guest, tmp_path_factory):
    """The log of a guest with interrupts, output, input and time in which it waits."""
    path = tmp_path_factory.mktemp("talk") / "log"
    script = write(path.with_name("script"), CONVERSATION)
    often = ["--checkpoint-interval", "1M"]
    record(isochron, path, "--kernel", console_guest, "--script", script, *often, "--console", "null")
    return path


@pytest.fixture(scope="module", name="interrupts")
def recorded_interrupts(isochron, tmp_path_factory):
    """The log of a guest with interrupts, a process and time in which it waits."""
    path = tmp_path_factory.mktemp("interrupts") / "log"
    record(isochron, path, "--kernel", own_guest(isochron, "interrupts"), "--console", "null")
    return path


def test_it_has_what_the_log_has(isochron, talk, tmp_path):
    data = data_of(make_page(isochron, talk, tmp_path / "page.html"))
    log = dump(isochron, talk)[1:]
    assert data["events"] == len(log)
    assert data["cycles"] == log[-1]["cycle"] and data["instructions"] == log[-1]["instructions"]
    assert data["end"] == log[-1]["reason"] == "power-off"
    checkpoints = [event for event in log if event["type"] == "checkpoint"]
    assert [mark[:2] for mark in lane(data, "checkpoints")["marks"]] == [[event["cycle"], 0] for event in checkpoints]
    assert lane(data, "checkpoints")["marks"][0][2].endswith(checkpoints[0]["state"])
    inputs = [event for event in log if event["type"] == "input"]
    assert [mark[0] for mark in lane(data, "inputs")["marks"]] == [event["cycle"] for event in inputs]
    assert lane(data, "inputs")["marks"][0][2] == f'uart0 "{inputs[0]["bytes"]}"'
    written = "".join(event["bytes"] for event in log if event["type"] == "output")
    assert [line[2] for line in data["console"]] == [line for line in written.replace("\r", "").split("\n") if line]
    assert sum(part["total"] for part in lane(data, "console")["parts"]) == len(written)


@pytest.mark.parametrize("guest", ["mmu", "interrupts"])
def test_it_counts_what_queries_find(isochron, guest, tmp_path, request):
    log = request.getfixturevalue(guest)
    data = data_of(make_page(isochron, log, tmp_path / "page.html"))
    for name in ("syscalls", "exceptions", "interrupts", "switches"):
        rows = ask(isochron, log, name)
        assert_counts(data, name, [row["cycle"] for row in rows])
        marked = [row for row in rows if name != "switches" or row["from"] != row["to"]]
        assert [mark[0] for mark in lane(data, name)["marks"]] == [row["cycle"] for row in marked]
        if name == "syscalls":
            assert sum(call[1] for call in data["calls"]) == len(rows)
            assert [mark[1] for mark in lane(data, name)["marks"]] == [row["cycles"] or 0 for row in rows]
    assert lane(data, {"mmu": "exceptions", "interrupts": "interrupts"}[guest])["count"] > 10


def test_the_time_of_a_cpu_is_exact(isochron, interrupts, tmp_path):
    data = data_of(make_page(isochron, interrupts, tmp_path / "page.html"))
    width = data["span_cycles"]
    parts = {part["name"]: amounts(data, part) for part in lane(data, "cpu0")["parts"]}
    assert {sum(values) for values in list(zip(*parts.values()))[:-1]} == {width}
    assert sum(sum(values) for values in parts.values()) == data["cycles"]
    assert parts["user"] != parts["idle"] and min(map(sum, parts.values())) > 0

    # Around where it waits first, and where it is in user mode first.
    for name, wanted_step in (
        ("idle", lambda step: step["kind"] == "wait"),
        ("user", lambda step: step["mode"] == "user" and step["kind"] == "instruction"),
    ):
        first = max(next(span for span, cycles in enumerate(parts[name]) if cycles) - 1, 0)
        steps = trace(isochron, interrupts, first * width, (first + 4) * width)
        found = [0] * 4
        for step, after in zip(steps, steps[1:] + [{"cycle": (first + 4) * width}]):
            cycle = step["cycle"]
            while wanted_step(step) and cycle < after["cycle"]:
                span = cycle // width
                here = min(after["cycle"], (span + 1) * width) - cycle
                found[span - first] += here
                cycle += here
        if name == "idle":
            assert found == parts[name][first : first + 4] and sum(found) > 0
        else:
            # What PALcode does for a program, such as filling a TLB, is the program's time.
            assert 0 < sum(found) and all(a <= b for a, b in zip(found, parts[name][first : first + 4]))


def test_engines_and_jobs_make_the_same_page(isochron, talk, tmp_path):
    log = tmp_path / "log"
    shutil.copy(talk, log)
    shutil.copy(f"{talk}.images", f"{log}.images")
    pages = {make_page(isochron, log, tmp_path / f"{engine}.html", "--engine", engine) for engine in engines(isochron)}
    assert_refused(
        run(isochron, "report", str(log), "-o", str(tmp_path / "none"), "--jobs", "2"), "--jobs needs snapshots"
    )
    assert replay(isochron, log, "--snapshot-every", "5M", "--console", "null").returncode == 0
    pages |= {make_page(isochron, log, tmp_path / "jobs.html", "--jobs", jobs) for jobs in ("1", "2", "3")}
    assert len(pages) == 1
    result = run(isochron, "report", str(log), "-o", "-")
    assert result.returncode == 0 and result.stdout.decode() in pages


def test_what_others_wrote_is_text(isochron, console_guest, tmp_path):
    """The guest echoes what is typed; the log and its symbols have names of that kind, too."""
    kernel = tmp_path / "kernel"
    subprocess.run(
        ["alpha-linux-gnu-objcopy", "--redefine-sym", f"power={HOSTILE}", console_guest, str(kernel)], check=True
    )
    script = tmp_path / "script"
    typed = HOSTILE.replace('"', r"\"")
    script.write_text(f'expect "ready"\nsend "{typed}"\nat 70M send "q"\n')
    log = tmp_path / (HOSTILE.replace("/", "|") + "'.log")
    record(isochron, log, "--kernel", str(kernel), "--script", str(script), "--console", "null")
    page = make_page(isochron, log, tmp_path / "page.html")
    assert page.count("<script") == page.count("</script") == 2
    assert "<b>" not in page and "alert(1)</" not in page and "<!--" not in page
    data = data_of(page)
    assert any(HOSTILE in mark[2].replace(r"\"", '"') for mark in lane(data, "inputs")["marks"])
    assert HOSTILE.replace("/", "|") in data["log"]


def test_a_profile_is_framed(isochron, interrupts, tmp_path):
    """The flame graph is what `isochron profile` makes, in a frame of its own."""
    pages = {
        make_page(isochron, interrupts, tmp_path / "page.html", "--profile", "--engine", engine)
        for engine in engines(isochron)
    }
    page = pages.pop()
    assert not pages
    framed = html.unescape(re.search(r' sandbox="allow-scripts" srcdoc="([^"]*)"', page)[1])
    flame = run(isochron, "profile", str(interrupts), "--format", "html")
    assert flame.returncode == 0
    titles = re.compile(r"(<(?:title|h1)>)[^<]*")
    assert titles.sub(r"\1", framed) == titles.sub(r"\1", flame.stdout.decode())
    data, plain = data_of(page), data_of(make_page(isochron, interrupts, tmp_path / "plain.html"))
    shown, without = lane(data, "cpu0"), lane(plain, "cpu0")
    data["lanes"].remove(shown)
    plain["lanes"].remove(without)
    assert data == plain
    # Of PALmode the profile alone knows, and of each span it knows all.
    parts = {part["name"]: amounts(data, part) for part in shown["parts"]}
    spans = [sum(values) for values in zip(*parts.values())]
    # The instruction that a span ends in may be an access to a device.
    assert sum(spans) == data["cycles"] and all(abs(span - data["span_cycles"]) < 1000 for span in spans[1:-2])
    table = run(isochron, "profile", str(interrupts), "--by", "mode", "--json").stdout.decode().splitlines()
    modes = {row["mode"]: row["cycles"] for row in map(json.loads, table)}
    names = {"user": "user", "kernel": "kernel", "PALmode": "pal", "idle": "idle"}
    assert {name: sum(values) for name, values in parts.items()} == {
        name: modes[mode] for name, mode in names.items() if mode in modes
    }
    assert sum(parts["PALmode"]) > 0


def test_bad_input_leaves_no_page(isochron, talk, console_guest, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("what was there before")
    damaged = tmp_path / "damaged"
    damaged.write_bytes(talk.read_bytes()[:100])
    assert_refused(run(isochron, "report", str(damaged), "-o", str(page)), "damaged")
    assert_refused(run(isochron, "report", str(talk)), "--output is required")
    assert_refused(run(isochron, "report", str(talk), "-o", str(tmp_path / "no" / "page")), "no/page")
    assert_refused(run(isochron, "report", str(talk), "-o", str(page), "--kernel", str(damaged)), "damaged")
    assert page.read_text() == "what was there before"
    assert not page.with_name("page.html.partial").exists()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed: nobody has looked at the page")
def test_a_browser_draws_it(isochron, talk, tmp_path):
    """The page's script runs to its end, with no word of complaint, and nothing is wider than a telephone."""
    page = make_page(isochron, talk, tmp_path / "page.html")
    check = "<script>document.title = [...document.querySelectorAll('svg')].length + ' ' + document.body.scrollWidth</script>"
    (tmp_path / "page.html").write_text(page.replace("</body>", check + "</body>"))
    dom = subprocess.run(
        ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
         "--window-size=1280,1000", "--dump-dom", f"file://{tmp_path / 'page.html'}#at=1000"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300, check=True,
    ).stdout.decode()  # fmt: skip
    svgs, width = re.search(r"<title>(\d+) (\d+)</title>", dom).groups()
    assert int(svgs) >= 2 and int(width) <= 1280
    assert "monitor goto cycle 1000" in dom
    assert "checkpoint" in dom and "CPU 0" in dom
