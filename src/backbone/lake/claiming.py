"""Whose data files are: for another catalogue they would be nobody's, and removed."""

import json
import secrets

from backbone.errors import LakeError, StoreError
from backbone.lake.books import FolderBooks
from backbone.lake.site import Site

MARK = "lake.json"
"""The file among the data that says so. A lake that is wholly in one folder needs none."""


def refuse_strangers(site: Site) -> None:
    """Make sure that a lake that is to be made in a folder doesn't take another one's files for its own.

    Raises:
        LakeError: there is a lake's data, with a catalogue elsewhere.
    """
    if not site.data.is_local:
        return  # whoever claims it finds out
    if site.books.shared and FolderBooks(site.folder).has_catalogue():
        raise LakeError(
            f"{site.folder} has a lake, with its catalogue in {FolderBooks.NAME}. To bring it along: write "
            "`catalogue: sqlite` into backbone.yml again, and then: backbone migrate --catalogue 'postgres:…'"
        )
    if not site.books.shared and (site.folder / MARK).exists():
        raise LakeError(
            f"{site.folder} has the data of a lake whose catalogue is in a database. Name that in backbone.yml again: "
            "`storage: {catalogue: 'postgres:…'}`. Then, to bring it here: backbone migrate --catalogue sqlite"
        )


def claim(site: Site, identity: str, *, again: bool = False) -> None:
    """Say that data belongs to a lake, before its first file is put there; `again`: from now on.

    Raises:
        LakeError: it belongs to another.
    """
    if site.data.is_local and not site.books.shared:
        return
    site.folder.mkdir(parents=True, exist_ok=True)
    path = site.folder / f".{MARK}.{secrets.token_hex(4)}.part"
    path.write_text(json.dumps({"lake": identity}))
    try:
        site.data.put(MARK, path, again=again)
    except StoreError:
        raise
    except LakeError as error:
        raise LakeError(
            f"{site.data.uri('')} holds the data of another lake: of another project, or of this one with a catalogue "
            "that isn't there any more. Name another place in backbone.yml as `storage: {data: …}`, or bring the "
            "catalogue back: backbone restore"
        ) from error
    finally:
        path.unlink()
