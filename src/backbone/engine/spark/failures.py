"""What Spark says when something fails, without what Java adds to it."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from backbone.errors import EngineError

_SAID = re.compile(r"(\[[A-Z_0-9.]+\] [^\n]+)")
_NOISE = re.compile(r" (?:SQLSTATE: \w+|Use `try_\w+`[^.]*\.?|If necessary set \"?spark\.sql\.ansi\.enabled.*)")
_GONE = (
    "Spark's Java process has ended, or can't be reached any more. What it said last is in spark.log, beside the "
    "lake's tables. Where its memory was short, raise memory_limit. Then: backbone run"
)


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
    except (PySparkException, Py4JError, ConnectionError) as error:
        raise EngineError(_GONE if _is_gone(error) else said_by(str(error))) from error


def _is_gone(error: Exception) -> bool:
    """Whether Java can't be reached any more, of which pyspark may say as little as what it has just called."""
    from py4j.protocol import Py4JError, Py4JNetworkError
    from pyspark import SparkContext

    java = getattr(SparkContext._gateway, "proc", None)  # noqa: SLF001 - there is no other way to it
    if java is not None and type(error) is Py4JError:  # its connection ends a moment before it does
        with suppress(subprocess.TimeoutExpired):
            return java.wait(2) is not None
    return isinstance(error, Py4JNetworkError | ConnectionError)


def said_by(text: str) -> str:
    r"""The one line that matters of what Spark said.

    Example:
        >>> said_by("An error occurred.\n: [DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012\n at org.apache…")
        'Spark: [DIVIDE_BY_ZERO] Division by zero.'
    """
    found = [match for match in _SAID.findall(text) if "[FAILED_EXECUTE_UDF]" not in match]
    lines = [line for line in text.splitlines() if line.strip()] or ["no words"]
    return "Spark: " + _NOISE.sub("", found[-1] if found else lines[0]).strip()
