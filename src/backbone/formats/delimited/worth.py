"""What a text looks like, as far as that tells a cell from a piece of a line: a number, a date, a word, or neither."""

import re
from functools import lru_cache
from typing import Literal

Look = Literal["", "number", "moment", "code", "words", "odd"]

_NUMBER = re.compile(
    r"[(+-]?\s?[€$£¥]?\s?[+-]?(?:\d{1,3}(?:[,.' \u2019]\d{3})+|\d+)(?:[.,]\d*)?(?:[eE][+-]?\d+)?\)?\s?[%€$£¥]?"
    r"|[+-]?[.,]\d+"
)
_MOMENT = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ]\d.*)?|\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?[AaPp][Mm])?"
    r"|\d{1,2}[-\s/.]?[^\W\d_]{3,9}[-\s/.,]{0,2}\d{2,4}(?:\s\d.*)?|[^\W\d_]{3,9}\.?\s\d{1,2},?\s\d{4}"
    r"|(?:\d{4}[-/](?:0[1-9]|1[012]|Q[1-4]))"
)
_CODE = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?:https?|ftp)://\S+|www\.\S+|[^\W_]+(?:[-_./:#+][^\W_]+)*|#?[A-Za-z0-9_]+|\\N|-+"
    r"|(?:\d{1,3}\.){3}\d{1,3}|[?*.]{1,3}|#N/A|<NA>|[^\W_]+[.!?%*°]"
)
_WORDS = re.compile(r"[^\W_](?:[\w .'\u2019\-/&()+:!?%°²³№#*=<>$€£\u2013\u2014]|(?<=\w)\"(?=\w))*")
_TEXT = re.compile(r"[^\W_\"][^\t|\"]*(?:\"[^\t|\"]*\"[^\t|\"]*)*")
_LONGEST = 200
WORTH: dict[Look, float] = {"": 0.6, "number": 1.0, "moment": 1.0, "code": 0.95, "words": 0.9, "odd": 0.1}


@lru_cache(1 << 16)
def look_of(cell: str) -> Look:
    """What a cell looks like."""
    text = cell.strip()
    if not text:
        return ""
    if len(text) > _LONGEST:
        return "words" if _TEXT.fullmatch(text[:_LONGEST]) else "odd"
    if _NUMBER.fullmatch(text):
        return "number"
    if _MOMENT.fullmatch(text):
        return "moment"
    if _CODE.fullmatch(text):
        return "code"
    return "words" if _WORDS.fullmatch(text) else "odd"


@lru_cache(1 << 16)
def is_text(cell: str) -> bool:
    """Whether an odd cell may be a sentence: it has commas or quotes, but no delimiter of tables."""
    return _TEXT.fullmatch(cell.strip()[:_LONGEST]) is not None


def is_typed(cell: str) -> bool:
    """Whether a cell is a number or a moment, as headers are not."""
    return look_of(cell) in {"number", "moment"}
