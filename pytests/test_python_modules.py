"""The Python of this tree: who may import whom, without circles, and found without changes to sys.path."""

import graphlib

import pytest

from helpers.imports import graph_of, path_changes
from helpers.tree import DRIVER, ROOT

# Places of sys.path: of the driver, of the tests (pytest.ini), and the top of the tree.
ROOTS = [DRIVER, ROOT / "pytests", ROOT]
FILES = [
    path
    for path in sorted(ROOT.rglob("*.py"))
    if not {"build", ".git"} & set(path.relative_to(ROOT).parts[:2]) and not path.name.startswith(".")
]

# Arrows point down: the top packages that each may import besides itself.
BELOW = {
    "isochron": set(),
    "conformance": {"isochron"},
    "helpers": {"conformance", "isochron"},
    "conftest": {"helpers", "conformance", "isochron"},
    "test": {"helpers", "conformance", "isochron"},
    "packaging": set(),
    "docs": {"isochron"},
}


def top(module):
    return "test" if module.startswith("test_") else module.split(".")[0]


def assert_no_circle(graph):
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail(f"a circle: {' <- '.join(error.args[1])}")


def rooms_of(graph):
    """The graph of the folders that modules are in."""
    rooms = {}
    for module, imported in graph.items():
        room = rooms.setdefault(module.rpartition(".")[0], set())
        room |= {other.rpartition(".")[0] for other in imported}
    return {room: others - {room} for room, others in rooms.items() if room}


def test_no_module_is_in_a_circle():
    graph = graph_of(FILES, ROOTS)
    assert graph["isochron.session"] >= {"isochron.channel", "isochron.results", "isochron.log"}
    assert graph["conformance.campaign.soak"] >= {"isochron", "conformance.campaign.arguments"}
    assert_no_circle(graph)
    assert_no_circle(rooms_of(graph))


def test_modules_import_only_what_is_below():
    for module, imported in graph_of(FILES, ROOTS).items():
        above = {other for other in imported if top(other) != top(module) and top(other) not in BELOW[top(module)]}
        assert not above, f"{module} imports {above}"
        assert not {other for other in imported if top(other) in ("test", "conftest")}, f"{module} imports tests"


def test_nobody_changes_where_modules_are_looked_for():
    assert len(FILES) > 60
    for path in FILES:
        assert not path_changes(path.read_text()), path


def graph_of_texts(directory, texts):
    for name, text in texts.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text)
    return graph_of([directory / name for name in texts], [directory])


@pytest.mark.parametrize(
    "first, second",
    [
        ("import p.b", "import p.a"),
        ("from p import b", "from p.a import x"),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.b import y\n", "def f():\n    import p.a\n"),
        ("from . import b", "from .a import x"),
    ],
)
def test_circles_are_found(tmp_path, first, second):
    graph = graph_of_texts(tmp_path, {"p/__init__.py": "", "p/a.py": first, "p/b.py": second, "c.py": "import p.a"})
    assert graph == {"p": set(), "p.a": {"p.b"}, "p.b": {"p.a"}, "c": {"p.a"}}
    with pytest.raises(pytest.fail.Exception, match=r"a circle: p\.[ab] <- p\.[ab] <- p\.[ab]"):
        assert_no_circle(graph)


def test_circles_of_rooms_are_found(tmp_path):
    texts = {"p/a.py": "import q.a", "p/b.py": "", "q/a.py": "", "q/b.py": "import p.b"}
    graph = graph_of_texts(tmp_path, texts)
    assert_no_circle(graph)
    with pytest.raises(pytest.fail.Exception, match="a circle: "):
        assert_no_circle(rooms_of(graph))


@pytest.mark.parametrize(
    "text",
    [
        "import sys\nsys.path.insert(0, 'x')",
        "import sys as s\ns.path += ['x']",
        "from sys import path",
        "import site\nsite.addsitedir('x')",
    ],
)
def test_changes_of_the_path_are_found(text):
    assert path_changes(text)
    assert not path_changes("import os, sys\nos.path.join('a', sys.argv[1])")
