"""Statements of people's, as text."""

import re

_TOKEN = re.compile(
    r"""(?P<nothing>\s+|;|--[^\n]*|/\*.*?(?:\*/|\Z))"""
    r"""|[eE]'(?:[^'\\]|\\.|'')*'|'[^']*'|"[^"]*"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|[^\s;'"$/eE-]+|.""",
    re.DOTALL,
)


def bare(query: str) -> str:
    """A statement without the semicolons and comments at its end, so that it can stand in brackets.

    Example:
        >>> bare("SELECT ';--' AS a; -- all of them")
        "SELECT ';--' AS a"
    """
    if not any(mark in query for mark in (";", "--", "/*")):
        return query.strip()
    ends = [token.end() for token in _TOKEN.finditer(query) if token.lastgroup != "nothing"]
    return query[: ends[-1]].strip() if ends else ""
