"""SQL as people write it: parsed once, by sqlglot, in DuckDB's dialect; problems point at the words they are about."""

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from backbone.errors import Problem

if TYPE_CHECKING:
    from sqlglot import Dialect, exp

    from backbone.project.places import Place
    from backbone.project.tree import Text

Kind = TypeVar("Kind", bound="exp.Expr")
Part = Literal["condition", "expression", "order"]
_FIRST_WORDS = {"SELECT", "WITH", "FROM", "("}
_ORDER_BY = "ORDER BY "


@dataclass(frozen=True, slots=True)
class Parsed:
    """A piece of SQL: its text, and its syntax tree. `shift` is what was put before the text to parse it."""

    text: "Text"
    tree: "exp.Expr"
    shift: int = 0
    nodes: "tuple[exp.Expr, ...]" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(self.tree.walk()))

    def all(self, *kinds: "type[Kind]") -> "list[Kind]":
        """All nodes of some kinds. The tree is walked once, however many look at it."""
        return [node for node in self.nodes if isinstance(node, kinds)]

    def place(self, node: "exp.Expr") -> "Place":
        """Where the words of a node stand, as exactly as sqlglot remembers it."""
        from sqlglot import exp

        marks = [n.meta for n in (node, *node.find_all(exp.Identifier)) if "start" in n.meta]
        if not marks:
            return self.text.place
        start, end = min(mark["start"] for mark in marks), max(mark["end"] for mark in marks) + 1
        return self.text.within(start - self.shift, end - self.shift)


@cache
def duckdb_dialect() -> "Dialect":
    """DuckDB's dialect, made once: loading sqlglot costs a third of a second."""
    from logging import getLogger

    from sqlglot import Dialect

    getLogger("sqlglot").setLevel("ERROR")  # what it can't read is told by us, with file and line
    return Dialect.get_or_raise("duckdb")


def parse_select(text: "Text", problems: list[Problem]) -> Parsed | None:
    """Exactly one SELECT (WITH, UNION and the like included), or None and a problem."""
    from sqlglot import exp

    tokens = _tokens(text, text.value, problems)
    if tokens is None:
        return None
    if not tokens or tokens[0].text.upper() not in _FIRST_WORDS:
        place = text.within(tokens[0].start, tokens[0].end + 1) if tokens else text.place
        problems.append(place.problem("one SELECT is expected here, and nothing else"))
        return None
    trees = [tree for tree in _parse(text, tokens, None, problems) if tree is not None]
    if not trees:
        return None
    if len(trees) > 1:
        problems.append(
            _second_statement(text, tokens).problem("a second statement begins here. One SELECT is expected")
        )
        return None
    if not isinstance(trees[0], exp.Query):
        problems.append(text.place.problem("one SELECT is expected here, and nothing else"))
        return None
    return Parsed(text, trees[0])


def parse_part(text: "Text", part: Part, problems: list[Problem]) -> Parsed | None:
    """An SQL expression, or a list to order by; no subquery. None and a problem where it is something else."""
    from sqlglot import exp

    shift = len(_ORDER_BY) if part == "order" else 0
    sql = _ORDER_BY + text.value if part == "order" else text.value
    tokens = _tokens(text, sql, problems, shift)
    if tokens is None:
        return None
    if len(tokens) <= bool(shift):
        problems.append(text.place.problem("an SQL expression is expected here"))
        return None
    trees = _parse(text, tokens, exp.Order if part == "order" else exp.Condition, problems, shift)
    if len(trees) != 1 or trees[0] is None:
        if trees:
            problems.append(text.place.problem("one SQL expression is expected here"))
        return None
    parsed = Parsed(text, trees[0], shift)
    for what, kinds in (("subquery", (exp.Query, exp.Exists)), ("window function", (exp.Window,))):
        if parsed.all(*kinds):
            problems.append(
                text.place.problem(f"a {what} can't stand here: a rule looks at one row, or at one dataset")
            )
            return None
    return parsed


def normalised(parsed: Parsed) -> str:
    """The SQL printed back from its tree: comments, blanks and the case of keywords don't count.

    The tree may be changed by it, so this comes last: copying every tree would cost as much as printing it.
    """
    from sqlglot import ErrorLevel

    return parsed.tree.sql(dialect=duckdb_dialect(), copy=False, comments=False, unsupported_level=ErrorLevel.IGNORE)


def _tokens(text: "Text", sql: str, problems: list[Problem], shift: int = 0) -> list[Any] | None:
    from sqlglot.errors import TokenError

    try:
        return duckdb_dialect().tokenize(sql)
    except TokenError:
        quote = max(text.value.find("'"), text.value.find('"'), text.value.find("/*"), shift and 0)
        place = text.within(quote, quote + 1) if quote > 0 else text.place
        problems.append(place.problem("SQL can't be read: a quote or a comment is not closed"))
        return None


def _parse(
    text: "Text", tokens: list[Any], into: Any, problems: list[Problem], shift: int = 0
) -> "list[exp.Expr | None]":
    from sqlglot.errors import ParseError

    sql = " " * shift + text.value
    parser = duckdb_dialect().parser()
    try:
        return list(parser.parse_into(into, tokens, sql) if into else parser.parse(tokens, sql))
    except ParseError as error:
        problems.append(_parse_problem(text, sql, error, shift))
    except RecursionError:
        problems.append(text.place.problem("SQL can't be read: it is nested too deeply"))
    return []


def _parse_problem(text: "Text", sql: str, error: Any, shift: int) -> Problem:
    said: dict[str, Any] = error.errors[0] if error.errors else {}
    while not said.get("line") and error.__cause__ is not None and hasattr(error.__cause__, "errors"):
        error = error.__cause__
        said = error.errors[0] if error.errors else {}
    word = str(said.get("highlight") or "")
    if not said.get("line"):
        return text.place.problem(f"SQL can't be read: {error}")
    # sqlglot's column is that of the word's last character.
    before = sum(len(line) + 1 for line in sql.split("\n")[: said["line"] - 1])
    start = max(before + said["col"] - len(word) - shift, 0)
    place = text.within(start, start + max(len(word), 1))
    what = "something is missing" if said["description"].startswith("Required keyword") else said["description"]
    return place.problem(f"SQL can't be read at {word!r}: {what}")


def _second_statement(text: "Text", tokens: list[Any]) -> "Place":
    at = next((i for i, token in enumerate(tokens) if token.text == ";"), len(tokens) - 2)
    token = tokens[min(at + 1, len(tokens) - 1)]
    return text.within(token.start, token.end + 1)
