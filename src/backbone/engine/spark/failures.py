"""What Spark says when something fails, without what Java adds to it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from backbone.errors import EngineError

_SAID = re.compile(r"(\[[A-Z_0-9.]+\] [^\n]+)")
_NOISE = re.compile(r" (?:SQLSTATE: \w+|Use `try_\w+`[^.]*\.?|If necessary set \"?spark\.sql\.ansi\.enabled.*)")


@contextmanager
def explained() -> Iterator[None]:
    """Turn what Spark raises in the block into an `EngineError` of one line.

    Raises:
        EngineError: Spark can't carry a query out, or lost what it ran on.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise EngineError(said_by(str(error))) from error


def said_by(text: str) -> str:
    r"""The one line that matters of what Spark said.

    Example:
        >>> said_by("An error occurred.\n: [DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012\n at org.apache…")
        'Spark: [DIVIDE_BY_ZERO] Division by zero.'
    """
    found = [match for match in _SAID.findall(text) if "[FAILED_EXECUTE_UDF]" not in match]
    lines = [line for line in text.splitlines() if line.strip()] or ["no words"]
    return "Spark: " + _NOISE.sub("", found[-1] if found else lines[0]).strip()
