"""Secrets: what `${NAME}` stands for, and how it stays unknown to all who needn't know it.

A text that names secrets is kept as it is written. It is filled in only where it is used, and what is told of that
(the registry, governance, messages, tracebacks) is concealed: the name stands in the value's place again.
"""

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path

from backbone.errors import UsageError
from backbone.model.passwords import passwords

SECRETS_FILE = "secrets.env"
REFERENCE = re.compile(r"\$\{(\w*)\}")
SHORTEST = 4
"""A value of fewer characters is in too many texts that have nothing to do with it: it isn't concealed."""
_FILLED: dict[str, str] = {}
_NAMELESS: set[str] = set()


class Secrets:
    """Values for `${NAME}`: from the environment, else from the project's `secrets.env`."""

    def __init__(self, root: Path) -> None:
        self._values: Mapping[str, str] = {**_file(root / SECRETS_FILE), **os.environ}

    @property
    def names(self) -> Collection[str]:
        """All names that have a value."""
        return self._values.keys()

    def filled(self, text: str) -> str:
        """A text with each `${NAME}` replaced by its value. From then on, `concealed` knows that value.

        Raises:
            UsageError: a name has no value.
        """
        return REFERENCE.sub(self._value, text)

    def _value(self, match: re.Match[str]) -> str:
        name = match[1]
        if name not in self._values:
            raise UsageError(f"${{{name}}} is not set, in the environment or in {SECRETS_FILE}")
        value = self._values[name]
        if len(value) >= SHORTEST:
            _FILLED[value] = name
        return value


def conceal_passwords(conninfo: str) -> None:
    """Let `concealed` know the passwords in a connection string, which have no name: they are told as `***`."""
    _NAMELESS.update(password for password in passwords(conninfo) if len(password) >= SHORTEST)


def concealed(text: str) -> str:
    """A text as it may be told: each value that was filled in is its `${NAME}` again."""
    told = {**dict.fromkeys(_NAMELESS, "***"), **{value: f"${{{name}}}" for value, name in _FILLED.items()}}
    for value in sorted(told, key=len, reverse=True):
        text = text.replace(value, told[value])
    return text


def _file(path: Path) -> dict[str, str]:
    if not path.is_file():  # nor a pipe, that nobody may ever write to
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = [line.removeprefix("export ").partition("=") for line in lines if line.strip() and not line.startswith("#")]
    return {name.strip(): _unquoted(value.strip()) for name, _, value in pairs}


def _unquoted(value: str) -> str:
    """What is between the quotes around a value; quotes within it stay: `password='a b'`."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
