"""Fetching: what an origin that must be asked has that is new becomes one file in landing.

A connector writes it and says what it must know the next time. Both become part of the registry in one transaction, so
that a kill between any two steps leaves what is fetched again, or what has landed.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.connectors.origins import KAFKA, is_object, is_url, told, unpacked
from backbone.connectors.registry import Arrival
from backbone.connectors.secrets import Secrets, concealed
from backbone.errors import LakeError, OriginError
from backbone.troubles import trouble

if TYPE_CHECKING:
    from backbone.connectors.landing import Landing, LandingZone

Note = Callable[[str], None]
"""Told what is being done, now and then, while it takes long."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a connector is asked: an origin as it may be told and with its secrets, and what it knew the last time."""

    origin: str
    filled: str
    root: Path
    memory: str | None = None

    @property
    def told(self) -> str:
        """The origin as a sentence may name it."""
        return told(self.origin)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a connector has written: the name that the file is to have, and what to know the next time."""

    name: str
    memory: str


Fetch = Callable[[Path, Note], Fetched | None]
"""Writes what is new to a file; None where nothing is."""


def fetches(question: Question) -> Iterator[Fetch]:
    """What is to be fetched from an origin, one after the other: a URL or a table is one, of a store each object.

    Raises (each of them, too):
        OriginError: it can't be reached, or refuses.
        MissingExtraError: what reads it isn't installed.
    """
    if is_url(question.origin):
        from backbone.connectors.http import fetch_url

        yield partial(fetch_url, question)
    elif is_object(question.origin):
        from backbone.connectors.s3_origin import object_fetches

        yield from object_fetches(question)
    elif KAFKA in unpacked(question.origin):
        from backbone.connectors.kafka_origin import fetch_messages

        yield partial(fetch_messages, question)
    else:
        from backbone.connectors.tables import fetch_rows

        yield partial(fetch_rows, question)


def pull(zone: "LandingZone", source: str, origin: str, root: Path, note: Note) -> "Iterator[Landing]":
    """Land what an origin has that is new, file by file.

    Raises:
        OriginError: it can't be reached, or refuses.
        LakeError: landing can't be written to.
    """
    secrets = Secrets(root)
    filled = secrets.filled(origin) if is_url(origin) else origin
    question = Question(origin, filled, root, zone.registry.memory(source, origin))
    try:
        for fetch in fetches(question):
            with zone.fetching(source) as part:
                found = fetch(part, note)
            if found is None:
                shutil.rmtree(part.parent)
            else:
                yield zone.land_fetched(part, Arrival(source, part, origin, named=found.name, memory=found.memory))
    except (OSError, sqlite3.Error) as error:
        why = concealed(trouble(error, zone.persistent) or str(error))
        raise LakeError(f"{question.told} can't be landed: {why}") from error


def fetch_to(origin: str, root: Path, folder: Path, note: Note) -> Path:
    """Fetch what an origin has, of several objects the first, to look at it.

    Raises:
        OriginError: it can't be reached, or refuses.
    """
    filled = Secrets(root).filled(origin) if is_url(origin) else origin
    part = folder / ".fetched"
    found = next((found for fetch in fetches(Question(origin, filled, root)) if (found := fetch(part, note))), None)
    if found is None:
        raise OriginError(f"{told(origin)} has nothing to look at")
    path = folder / found.name
    shutil.move(part, path)
    return path


def secret_parts(question: Question) -> dict[str, str]:
    """The parts of a mapping with their secrets filled in."""
    secrets = Secrets(question.root)
    return {key: secrets.filled(value) for key, value in unpacked(question.origin).items()}
