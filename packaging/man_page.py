#!/usr/bin/env python3
"""Makes a manual page of a document, or of some of its sections, so that what is defined is defined once.

Knows the Markdown that docs/ is written in: headings, paragraphs, lists, tables, indented code, and inside lines
`code`, **bold**, *emphasis* and links, of which the text stays.
"""

import argparse
import pathlib
import re
import sys

SUMMARIES = {
    "isochron-script": "the language that drives a guest of isochron(1)",
    "isochron-log": "the replay log of isochron(1)",
}
WIDEST_PLAIN_CELL = 24


def roff(text):
    """Text with the formatter's own characters protected."""
    text = text.replace("\\", "\\e")
    for character, escape in (("-", "\\-"), ("^", "\\(ha"), ("~", "\\(ti"), ("`", "\\(ga"), ("'", "\\(aq")):
        text = text.replace(character, escape)
    return re.sub(r"^\.", r"\\&.", text)


def inline(text):
    """A line or more of a paragraph."""
    text = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", text)
    parts = re.split(r"(`[^`]+`|\*\*[^*]+\*\*|(?<![\w*])\*[^*\s][^*]*\*(?!\w))", text)
    done = []
    for part in parts:
        if len(part) > 2 and part[0] == part[-1] == "`":
            done.append(f"\\fB{roff(part[1:-1])}\\fR")
        elif part.startswith("**") and part.endswith("**") and len(part) > 4:
            done.append(f"\\fB{roff(part[2:-2])}\\fR")
        elif len(part) > 2 and part[0] == part[-1] == "*":
            done.append(f"\\fI{roff(part[1:-1])}\\fR")
        else:
            done.append(roff(part))
    joined = "".join(done)
    return "\\&" + joined if joined.startswith(".") else joined


def cells_of(row):
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]


def table(rows):
    """Rows of a table as lines of tbl(1)."""
    head, body = cells_of(rows[0]), [cells_of(row) for row in rows[2:]]
    columns = len(head)
    plain = [max(len(row[i]) for row in [head, *body]) <= WIDEST_PLAIN_CELL for i in range(columns - 1)] + [False]
    kinds = ["l" if plain[i] else "lx" for i in range(columns)]
    # nokeep: where a block of text ends at the end of a page, a kept one warns readers that it does not fit.
    lines = [".TS", "tab(\t) nokeep;"]
    if any(head):
        lines += [" ".join(kind.replace("l", "lb", 1) for kind in kinds)]
    lines += [" ".join(kinds) + "."]
    for row in ([head] if any(head) else []) + body:
        texts = [inline(cell) for cell in row]
        lines.append("\t".join(text if plain[i] else f"T{{\n.na\n{text}\nT}}" for i, text in enumerate(texts)))
    return [*lines, ".TE"]


def blocks(lines):
    """(kind, lines) of each block of a document."""
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line.strip():
            at += 1
            continue
        if line.startswith("#"):
            kind, belongs = "heading", lambda text: False
        elif line.startswith("    "):
            kind, belongs = "code", lambda text: text.startswith("    ") or not text
        elif line.startswith("|"):
            kind, belongs = "table", lambda text: text.startswith("|")
        elif line.startswith("- "):
            kind, belongs = "item", lambda text: text.startswith("  ")
        else:
            kind, belongs = "paragraph", lambda text: text.strip() and not text.startswith(("#", "|", "- "))
        end = at + 1
        while end < len(lines) and belongs(lines[end]):
            end += 1
        yield kind, lines[at:end]
        at = end


def select(lines, titles):
    """The lines of these sections alone, headings included."""
    chosen = []
    for title in titles:
        level = next((line.split(" ", 1)[0] for line in lines if re.fullmatch(rf"#+ {re.escape(title)}", line)), None)
        if level is None:
            sys.exit(f"man_page.py: there is no section '{title}'")
        start = lines.index(f"{level} {title}")
        end = next(
            (i for i in range(start + 1, len(lines)) if re.match(rf"#{{1,{len(level)}}} ", lines[i])), len(lines)
        )
        chosen += lines[start:end]
    return chosen


def page(name, section, version, lines):
    """The manual page. The first heading gives way to DESCRIPTION."""
    out = [
        "'\\\" t",
        ".\\\" Generated from the documentation.",
        f'.TH {name.upper()} {section} "" "isochron {version}" "File Formats"',
        ".SH NAME",
        f"{roff(name)} \\- {SUMMARIES[name]}",
        ".SH DESCRIPTION",
    ]
    first = True
    for kind, block in blocks(lines):
        if kind == "heading":
            level, title = block[0].split(" ", 1)
            if first:
                first = False
            elif len(level) <= 2:
                out.append(f".SH {inline(title if '`' in title else title.upper())}")
            else:
                out.append(f".SS {inline(title)}")
        elif kind == "code":
            while not block[-1].strip():
                block.pop()
            out += [".PP", ".in +4n", ".EX", *(roff(line[4:]) for line in block), ".EE", ".in"]
        elif kind == "table":
            out += [".PP", *table(block)]
        elif kind == "item":
            out += [".IP \\(bu 2", *inline(" ".join(line[2:].strip() for line in block)).split("\n")]
        else:
            out += [".PP", inline(" ".join(line.strip() for line in block))]
    out += [".SH SEE ALSO", ".BR isochron (1)"]
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--section", action="append", help="take this section of the document; all of it without")
    parser.add_argument("--version", required=True, help="of the program")
    parser.add_argument("--output", required=True, type=pathlib.Path)
    parser.add_argument("name", choices=SUMMARIES)
    parser.add_argument("number")
    parser.add_argument("document", type=pathlib.Path)
    arguments = parser.parse_args()
    lines = arguments.document.read_text().splitlines()
    if arguments.section:
        lines = select(lines, arguments.section)
    arguments.output.write_text(page(arguments.name, arguments.number, arguments.version, lines))


if __name__ == "__main__":
    main()
