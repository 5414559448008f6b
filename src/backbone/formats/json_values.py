"""The values of a JSON file, one after the other: numbers as they are written, objects with all their pairs, in order.

One value is in memory at a time, and of the file around it nothing.
"""

import json
from collections.abc import Iterator
from json.encoder import encode_basestring as escaped
from typing import IO, Any

__all__ = ["Number", "Pairs", "Values", "escaped", "json_text", "value_of"]

_CHUNK = 1 << 18
_NEAR = 64
"""How far from the end of what was read a mistake may be that only means: more has to be read."""
_BLANK = " \t\r\n"


class Number(str):
    """A number, exactly as it is written."""

    __slots__ = ()


class Pairs(tuple[tuple[str, Any], ...]):
    """An object: its keys with their values, doubles included."""

    __slots__ = ()


_DECODER = json.JSONDecoder(object_pairs_hook=Pairs, parse_float=Number, parse_int=Number, parse_constant=Number)


def value_of(text: str) -> Any:
    """The value that a text is.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deep for the parser.
    """
    return _DECODER.decode(text)


class Values:
    """Reads a file value by value; a mistake in it is a `ValueError`."""

    def __init__(self, file: IO[str]) -> None:
        self._file, self._text, self._at = file, "", 0

    def first(self) -> str:
        """The next character that is no blank; nothing at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANK:
                    return self._text[self._at]
                self._at += 1
            if not self._more(_CHUNK):
                return ""

    def skip(self, characters: str) -> bool:
        """Go on behind the next character if it is one of these."""
        found = self.first()
        if found and found in characters:
            self._at += 1
            return True
        return False

    def expect(self, character: str) -> None:
        """Go on behind a character that must come now."""
        if not self.skip(character):
            msg = f"'{character}' expected, not {self.first() or 'the end'!r}"
            raise ValueError(msg)

    def value(self) -> Any:
        """The next value."""
        self.first()
        size = _CHUNK
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except RecursionError as error:
                msg = "a value is nested too deep"
                raise ValueError(msg) from error
            except json.JSONDecodeError as error:
                cut = error.pos > len(self._text) - _NEAR or error.msg.startswith("Unterminated string")
                if not cut or not self._more(size):
                    raise ValueError(error.msg) from error
            else:
                if end < len(self._text) or not self._more(size):  # else a number may go on
                    self._at = end
                    return value
            size *= 2  # so that a long value is tried a few times only

    def items(self) -> Iterator[None]:
        """Stand before each item of a list; whoever asks for the next has read it."""
        self.expect("[")
        if self.skip("]"):
            return
        while True:
            yield
            if self.skip("]"):
                return
            self.expect(",")

    def entries(self) -> Iterator[str]:
        """Stand before each value of an object, given its key; whoever asks for the next has read it."""
        self.expect("{")
        if self.skip("}"):
            return
        while True:
            if self.first() != '"':
                msg = "a key that is no text"
                raise ValueError(msg)
            key = str(self.value())
            self.expect(":")
            yield key
            if self.skip("}"):
                return
            self.expect(",")

    def _more(self, size: int) -> bool:
        more = self._file.read(size)
        self._text, self._at = self._text[self._at :] + more, 0
        return bool(more)


def json_text(value: Any) -> str:
    """A value as JSON again, numbers as they were."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, Pairs):
        return "{" + ", ".join(f"{json_text(key)}: {json_text(one)}" for key, one in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(json_text, value)) + "]"
    return escaped(value) if isinstance(value, str) else json.dumps(value)
