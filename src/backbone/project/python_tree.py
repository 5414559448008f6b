"""Python files, read and never run: the one decorated function, its literals as nodes, and what its code comes to."""

import ast
import hashlib
import sys
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.errors import Problem
from backbone.project.tree import Items, Mapping, Node, Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backbone.project.places import File, Place


@dataclass(frozen=True, slots=True)
class Declared:
    """A decorated function: which decorator of ours, the call with its arguments, and the function.

    `imports` are the dotted names of other packages that its file imports, or a module of the project that it imports.
    """

    file: "File"
    decorator: str
    call: ast.Call
    function: ast.FunctionDef
    names: dict[str, str]
    description: str
    normal: str
    imports: frozenset[str]

    def place(self, node: ast.expr | ast.stmt | ast.arg | ast.keyword) -> "Place":
        """Where a piece of syntax stands."""
        return place_of(self.file, node)


def place_of(file: "File", node: ast.expr | ast.stmt | ast.arg | ast.keyword) -> "Place":
    """Where a piece of syntax stands. Python counts columns in bytes of UTF-8."""
    start = _offset(file, node.lineno, node.col_offset)
    return file.place(start, _offset(file, node.end_lineno or node.lineno, node.end_col_offset or node.col_offset))


def _offset(file: "File", line: int, byte: int) -> int:
    first = file.starts[line - 1]
    return first + len(file.text[first : file.starts[line] - 1].encode()[:byte].decode(errors="ignore"))


def read_declared(root: Path, file: "File", decorators: tuple[str, ...], problems: list[Problem]) -> Declared | None:
    """The one public function of a file, decorated with one of `decorators` of the package backbone."""
    tree = _parsed(file, problems)
    if tree is None:
        return None
    wanted = " or ".join(f"@{name}" for name in decorators)
    public = [n for n in tree.body if isinstance(n, _DEFINITIONS) and not n.name.startswith("_")]
    function = next((n for n in public if n.name == file.stem), None)
    for other in public:
        if other is not function:
            place = _name_place(file, other)
            problems.append(
                place.problem(f"'{other.name}' is not '{file.stem}', the name of the file. Helpers start with `_`")
            )
    if not isinstance(function, ast.FunctionDef):
        if not public or function is not None:
            place = file.place() if function is None else place_of(file, function)
            problems.append(
                place.problem(f"a function `def {file.stem}(…)`, decorated with {wanted}, is expected here")
            )
        return None
    names = imported_names(tree)
    found = [(names.get(_dotted(_called(d)), ""), d) for d in function.decorator_list]
    ours = [(name.removeprefix("backbone."), d) for name, d in found if name.removeprefix("backbone.") in decorators]
    call = ours[0][1] if len(ours) == 1 else None
    if not isinstance(call, ast.Call):
        place = place_of(file, ours[0][1]) if ours else _name_place(file, function)
        problems.append(
            place.problem(f"'{function.name}' needs a decorator: {wanted} of `from backbone import …`, with arguments")
        )
        return None
    description = ast.get_docstring(function) or ""
    modules, imports = _reached(root, file, tree)
    normal = _digest(file, tree, call, modules, imports)
    return Declared(file, ours[0][0], call, function, names, description, normal, imports)


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _name_place(file: "File", node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> "Place":
    start = file.text.find(node.name, _offset(file, node.lineno, node.col_offset))
    return file.place(start, start + len(node.name))


def _parsed(file: "File", problems: list[Problem]) -> ast.Module | None:
    try:
        with warnings.catch_warnings():  # what Python thinks of `1if` is no matter of ours
            warnings.simplefilter("ignore")
            return ast.parse(file.text)
    except SyntaxError as error:
        line = min(error.lineno or 1, len(file.starts) - 1)
        start = file.offset(line, max(error.offset or 1, 1))
        problems.append(file.place(min(start, len(file.text))).problem(f"this is not valid Python: {error.msg}"))
    except ValueError as error:
        problems.append(file.place().problem(f"this is not valid Python: {error}"))
    except (RecursionError, MemoryError):  # what Python's parser raises; no memory is short
        problems.append(file.place().problem("this is not valid Python: it is nested too deeply"))
    return None


def imported_names(tree: ast.Module) -> dict[str, str]:
    """What each name that a module imports stands for: `view` for `backbone.view`, also under another name."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    modules = [(local, full) for local, full in names.items() if full == "backbone"]
    # `import backbone` (or `as bb`): the decorator is then written `backbone.view`.
    return names | {f"{local}.{name}": f"{full}.{name}" for local, full in modules for name in _OURS}


_OURS = ("view", "classification", "regression", "clustering", "by_time", "by_group", "at_random")


def _called(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _dotted(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def call_name(declared: Declared, node: ast.expr) -> str:
    """Which function of ours a call names, such as `by_time`; empty where it is no call of ours."""
    if not isinstance(node, ast.Call):
        return ""
    name = declared.names.get(_dotted(node.func), "")
    return name.removeprefix("backbone.") if name.startswith("backbone.") else ""


def literal_node(file: "File", node: ast.expr, problems: list[Problem]) -> Node | None:
    """A literal as a node; numbers and booleans become their text. None for None, and for no literal (a problem)."""
    place = place_of(file, node)
    if isinstance(node, ast.List | ast.Tuple):
        items = [literal_node(file, item, problems) for item in node.elts]
        return Items(tuple(item for item in items if item is not None), place)
    if isinstance(node, ast.Dict):
        return _literal_mapping(file, node, problems)
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        value = ...
    if value is None:
        return None
    if isinstance(value, bool):
        return Text(str(value).lower(), place)
    if isinstance(value, str | int | float):
        return Text(str(value), place)
    problems.append(place.problem("a literal is expected here (a text, a number, a list …): the file is read, not run"))
    return None


def _literal_mapping(file: "File", node: ast.Dict, problems: list[Problem]) -> Mapping:
    entries: dict[str, tuple[Text, Node]] = {}
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        key = literal_node(file, key_node, problems) if key_node else None
        value = literal_node(file, value_node, problems)
        if not isinstance(key, Text):
            problems.append(place_of(file, key_node or value_node).problem("a key is a text"))
        elif key.value in entries:
            problems.append(key.place.problem(f"the key `{key.value}` is here twice"))
        elif value is not None:
            entries[key.value] = (key, value)
    return Mapping(tuple(entries.values()), place_of(file, node))


def _digest(
    file: "File", tree: ast.Module, call: ast.Call, modules: dict[str, ast.Module], imports: frozenset[str]
) -> str:
    """What counts of the code: this file without our decorator, the project's modules that it imports, and packages."""
    packages = {name.partition(".")[0] for name in imports}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = [d for d in node.decorator_list if d is not call]
    parts = [_code(tree)]
    parts += [f"{path}\n{_code(module)}" for path, module in sorted(modules.items()) if path != file.path]
    parts += [f"{package}=={_version(package)}" for package in sorted(packages)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _code(tree: ast.Module) -> str:
    """Code printed back without comments and docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | _DEFINITIONS[0] | _DEFINITIONS[1] | _DEFINITIONS[2]) and _has_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _has_docstring(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    first = node.body[0] if node.body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)


def _reached(root: Path, file: "File", tree: ast.Module) -> tuple[dict[str, ast.Module], frozenset[str]]:
    """The project's modules that a module imports, directly or not, by path; and what is imported of other packages."""
    modules: dict[str, ast.Module] = {}
    imports: set[str] = set()
    waiting = [(file.path, tree)]
    while waiting:
        for name in _imports(*waiting.pop()):
            own = _module_paths(root, name)
            for path in own - modules.keys():
                modules[path] = _module(root / path)
                waiting.append((path, modules[path]))
            top = name.partition(".")[0]
            if not own and top not in sys.stdlib_module_names and top != "backbone":
                imports.add(name)
    return modules, frozenset(imports)


def _module(path: Path) -> ast.Module:
    content = path.read_bytes()
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError):
        # Found when it is run: the module may be imported only where it is never used.
        return ast.Module([ast.Expr(ast.Constant(content))], [])


def _imports(path: str, tree: ast.Module) -> "Iterator[str]":
    """The dotted names that a module imports; those relative to it (`from .sums import total`) in full."""
    package = path.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            parts = [*base, *([node.module] if node.module else [])]
            yield from (".".join([*parts, alias.name]) for alias in node.names)


def _module_paths(root: Path, name: str) -> set[str]:
    """The files of a dotted name in the project: packages on the way, and the module itself."""
    paths = set()
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        stem = "/".join(parts[:length])
        paths |= {path for path in (f"{stem}.py", f"{stem}/__init__.py") if (root / path).is_file()}
    return paths


@cache
def _version(package: str) -> str:
    """The installed version of the distribution that provides a package."""
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        found = _distributions().get(package)
        return metadata.version(found[0]) if found else "not installed"


@cache
def _distributions() -> "dict[str, list[str]]":
    from importlib import metadata

    return dict(metadata.packages_distributions())
