"""How much tests try that could go on for ever: seeds, moments, examples, rows. `THOROUGH=1` makes it far more."""

import os
from typing import TypeVar

T = TypeVar("T")


def some(usual: T, thorough: T) -> T:
    """The usual amount, or with `THOROUGH=1` in the environment the thorough one."""
    return thorough if os.environ.get("THOROUGH") else usual
