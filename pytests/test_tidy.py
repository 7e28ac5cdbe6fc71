"""conformance/tidy.py: what passed need not be read again, wherever the tree stands."""

import pytest

from conformance.tidy import key_of


@pytest.fixture
def key(tmp_path):
    """The key of a joined file in a tree of its own, with what is given in place of what is usual."""

    def of(tree, source="int a;", command="g++ -O1", config="Checks: '*'"):
        root = tmp_path / tree
        root.mkdir()
        (root / "a.cc").write_text(source)
        joined = root / "joined.cxx"
        joined.write_text(f'#include "{root}/a.cc"\n')
        return key_of(f"{command} -I{root} {joined}", [joined, root / "a.cc"], config, "14", root)

    return of


def test_a_clone_elsewhere_has_the_same_key(key):
    assert key("here") == key("zz-elsewhere")


@pytest.mark.parametrize(
    "other", [{"source": "int b;"}, {"command": "g++ -O2"}, {"config": "Checks: '-*'"}], ids=["source", "command", "config"]
)
def test_what_the_answer_depends_on_is_in_the_key(key, other):
    assert key("here") != key("there", **other)


def test_what_is_not_there_has_no_key(tmp_path):
    assert key_of("g++", [tmp_path / "missing.h"], "", "14", tmp_path) is None
    assert key_of("g++", [], "", "14", tmp_path) is None
