"""What a check found, and the words for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backbone.model.reports import Check, RunEvent

OnEvent = Callable[[RunEvent], None]
REPAIR = "backbone doctor --repair"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found. `wrong` names what isn't sound (nothing: all is); `lost` are datasets to be made again."""

    name: str
    detail: str
    wrong: tuple[str, ...] = ()
    hint: str = ""
    lost: frozenset[str] = frozenset()

    @property
    def check(self) -> Check:
        """The verdict as people see it."""
        if not self.wrong:
            return Check(self.name, ok=True, detail=self.detail)
        return Check(self.name, ok=False, detail=shortened(self.wrong), hint=self.hint)


def sound(name: str, detail: str) -> Verdict:
    """All is as it should be."""
    return Verdict(name, detail)


def counted(number: int, word: str) -> str:
    """`3 files`.

    Example:
        >>> counted(1, "analysis")
        '1 analysis'
    """
    plural = {"analysis": "analyses"}.get(word, f"{word}s")
    return f"{number:,} {word if number == 1 else plural}"


def shortened(names: Sequence[str]) -> str:
    """The first of many."""
    shown, more = names[:_SHOWN], len(names) - _SHOWN
    return "; ".join(shown) + (f"; and {more:,} more" if more > 0 else "")
