"""Passwords in connection strings of databases: which there are, and texts without them. Pure."""

import re

_WORD = re.compile(r"(password\s*=\s*)('(?:\\.|[^'\\])*'|(?:\\.|\S)+)", re.IGNORECASE)
_IN_URL = re.compile(r"(://[^:/@\s]*:)([^@\s]*)(?=@)")
_IN_QUERY = re.compile(r"[?&]\w*password=([^&#\s]*)", re.IGNORECASE)
_URL = re.compile(r"\s*\w+://")


def without_passwords(text: str) -> str:
    """A text without the passwords of connection strings in it: what can't be reached is often quoted with them.

    Example:
        >>> without_passwords("can't reach host=db password='a b' or postgresql://ann:secret@db/lake")
        "can't reach host=db password=*** or postgresql://ann:***@db/lake"
    """
    return _WORD.sub(r"\1***", _IN_URL.sub(r"\1***", text))


def passwords(conninfo: str) -> tuple[str, ...]:
    """The passwords that a connection string holds: as they are written, as they are meant, and as libpq quotes them.

    Args:
        conninfo: a URL, or `key=value` pairs.

    Example:
        >>> passwords("postgresql://ann:a%40b@db/lake")
        ('a%40b', 'a@b')
    """
    if _URL.match(conninfo):
        from urllib.parse import unquote

        written = [*(found for _, found in _IN_URL.findall(conninfo)), *_IN_QUERY.findall(conninfo)]
        meant = [unquote(one) for one in written]
    else:
        written = [found for _, found in _WORD.findall(conninfo)]
        meant = [re.sub(r"\\(.)", r"\1", one[1:-1] if one.startswith("'") else one) for one in written]
    forms = [
        form
        for one, is_meant in zip(written, meant, strict=True)
        for form in (one, is_meant, re.sub(r"(['\\])", r"\\\1", is_meant))
    ]
    return tuple(dict.fromkeys(filter(None, forms)))
