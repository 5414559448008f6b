"""Origins that are asked, not looked at: URLs and tables of databases. Pure.

An origin is a text, as it stands under `from`; a mapping is kept as the JSON of it. A `${NAME}` stays as it is written,
so that an origin may be told.
"""

import json
from collections.abc import Mapping

_URLS = ("http://", "https://")
_OBJECTS = "s3://"
DATABASES = ("postgres", "sqlite")
KAFKA = "kafka"
UNBUILT = ("adbc", "rest", "dlt")
"""Kinds of origins that are thought of, and refused by name."""


def is_asked(origin: str) -> bool:
    """Whether an origin must be asked for what it has."""
    return origin.startswith("{") or is_url(origin) or is_object(origin)


def is_url(origin: str) -> bool:
    """Whether an origin is fetched by HTTP."""
    return origin.lower().startswith(_URLS)


def is_object(origin: str) -> bool:
    """Whether an origin is an object in a store that speaks S3, or several by a pattern."""
    return origin.startswith(_OBJECTS)


def packed(parts: Mapping[str, str]) -> str:
    """A mapping as one text."""
    return json.dumps(dict(parts), ensure_ascii=False)


def unpacked(origin: str) -> dict[str, str]:
    """The inverse of `packed`."""
    return {str(key): str(value) for key, value in json.loads(origin).items()}


def told(origin: str) -> str:
    """An origin as a sentence may name it.

    Example:
        >>> told('{"postgres": "${PG_URL}", "table": "orders"}')
        'table orders of postgres ${PG_URL}'
    """
    if not origin.startswith("{"):
        return origin
    parts = unpacked(origin)
    kind = next(iter(parts))
    named = next((f"{one} {parts[one]}" for one in ("table", "topic") if one in parts), None)
    what = named or "a query"
    return f"{what} of {kind} {parts[kind]}"
