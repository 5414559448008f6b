"""What isn't known to give the same on Spark is refused, by name and place, before it runs."""

from backbone.errors import UntranslatableError

NO_PLACE = 2**64 - 1
"""How a bound plan says that it doesn't know where something stands in the query."""
WAY_OUT = "Write the view in Python, or run the project on DuckDB (engine: duckdb)"


class NotOnSparkError(UntranslatableError):
    """A construct that isn't known to give the same on Spark; `place` is where it begins in the query, if known.

    `word` is what to look for in the query where the place isn't known.
    """

    def __init__(self, what: str, near: str = "", word: str = "", place: int = NO_PLACE) -> None:
        self.what, self.near, self.word, self.place = what, near, word, place
        super().__init__(said(what, near))

    def at(self, query: str) -> UntranslatableError:
        """The same in DuckDB's form, with the line and a mark below, as far as the place is known."""
        place = self.place if self.place < len(query.encode()) else _found(query, self.word)
        if place < 0:
            return UntranslatableError(said(self.what, self.near))
        before = query.encode()[:place].decode(errors="replace")
        number = before.count("\n")
        column = len(before) - (before.rfind("\n") + 1)
        start = f"LINE {number + 1}: "
        line = query.split("\n")[number]
        return UntranslatableError(f"{said(self.what, self.near)}\n\n{start}{line}\n{' ' * (len(start) + column)}^")


def refuse(what: str, near: str = "", word: str = "", place: int = NO_PLACE) -> NotOnSparkError:
    """The error that refuses a construct; `near` is what to write instead, if there is something."""
    return NotOnSparkError(what, near, word, place)


def said(what: str, near: str) -> str:
    """The words of a refusal."""
    return f"{what} is not known to give the same on Spark. {f'{near}. Or: ' if near else ''}{WAY_OUT}"


def _found(query: str, word: str) -> int:
    place = query.lower().find(word.lower()) if word else -1
    return len(query[:place].encode()) if place >= 0 else -1
