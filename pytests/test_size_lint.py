"""conformance/size_lint.py: files and functions that are too long are found wherever they stand."""

import pytest

from conformance.size_lint import MOST_FUNCTION_LINES, MOST_LINES, faults


def function(head, length, indent=0):
    """A function of so many lines, which is laid out as clang-format has it."""
    body = [f"  if (a{number}) {{ b(); }}" for number in range(length - 2 - head.count("\n"))]
    return "\n".join(" " * indent + line for line in [*f"{head} {{".split("\n"), *body, "}"])


HEADS = {
    "function": "int F(int a, int b)",
    "member": "absl::StatusOr<int> C::F() const",
    "test": "TEST_F(CTest, DoesWhatItShould)",
    "constructor": "C::C(int a)\n    : a_(a),\n      b_(2)",
    "template": "template <typename T>\nvoid F(T a)",
    "parameters": "void F(int a,\n       int b)",
}


@pytest.fixture
def check(tmp_path):
    def found(text):
        path = tmp_path / "a.cc"
        path.write_text(text + "\n")
        return list(faults(tmp_path, path))

    return found


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_a_long_function_is_found(check, head):
    around = "#include <a>\n\nnamespace n {{\n\nconst int k = 3;\n\n{}\n\n}}  // namespace n"
    assert check(around.format(function(head, MOST_FUNCTION_LINES))) == []
    [fault] = check(around.format(function(head, MOST_FUNCTION_LINES + 1)))
    assert f"a.cc:7: {MOST_FUNCTION_LINES + 1} lines" in fault


@pytest.mark.parametrize("scope", ["class C {\n public:", "struct S final : B {", "template <typename T>\nclass C {\n private:"])
def test_so_is_one_in_a_class(check, scope):
    long = function("int F() override", MOST_FUNCTION_LINES + 1, indent=2)
    short = function("int G()", MOST_FUNCTION_LINES, indent=2)
    assert len(check(f"{scope}\n{short}\n\n{long}\n\n  int a_ = 0;\n}};")) == 1
    assert check(f"{scope}\n{short}\n\n{short}\n\n  int a_ = 0;\n}};") == []


def test_a_long_table_is_no_function(check):
    rows = ",\n".join(f"    {{{number}, f({number})}}" for number in range(100))
    assert check(f"constexpr Row kRows[] = {{\n{rows},\n}};") == []


def test_a_long_file_is_found(check):
    assert check("\n".join(["int a;"] * MOST_LINES)) == []
    [fault] = check("\n".join(["int a;"] * (MOST_LINES + 1)))
    assert fault == f"a.cc: {MOST_LINES + 1} lines; a file has at most {MOST_LINES}"
