"""What Python modules import, read from their text: nothing is run."""

import ast
import pathlib


def module_name(path, roots):
    """The name under which a file is imported, and whether it is a package; `roots` are places of sys.path."""
    root = max((root for root in roots if path.is_relative_to(root)), key=lambda root: len(root.parts))
    parts = path.relative_to(root).with_suffix("").parts
    package = parts[-1] == "__init__"
    return ".".join(parts[:-1] if package else parts), package


def imports_of(text, name="", package=False):
    """(module, names) of each import statement, at the top, in a function or for types alone; names are None for `import`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = name.split(".")
            base = parts[: len(parts) - node.level + package] if node.level else []
            yield ".".join(base + (node.module.split(".") if node.module else [])), [alias.name for alias in node.names]


def graph_of(paths, roots):
    """For each module of these files, which of the others it imports. A package is not imported by naming what is in it."""
    files = {module_name(pathlib.Path(path), roots): path for path in paths}
    known = {name for name, _ in files}
    graph = {}
    for (name, package), path in files.items():
        wanted = set()
        for module, names in imports_of(pathlib.Path(path).read_text(), name, package):
            wanted |= {module} if names is None else {full if (full := f"{module}.{n}") in known else module for n in names}
        graph[name] = (wanted & known) - {name}
    return graph


def path_changes(text):
    """The lines that touch the places where modules are looked for."""
    found, names = [], {"sys", "site"}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.asname for alias in node.names if alias.name in ("sys", "site") and alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module in ("sys", "site"):
            if {alias.name for alias in node.names} & {"path", "addsitedir"}:
                found.append(node.lineno)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and node.attr in ("path", "addsitedir"):
            if isinstance(node.value, ast.Name) and node.value.id in names:
                found.append(node.lineno)
    return sorted(found)
