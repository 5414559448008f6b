"""Archives: the one data file inside a zip, copied out to a scratch folder."""

import lzma
import re
import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from backbone.errors import UsageError, did_you_mean

MAX_MEMBER_BYTES = 64 << 30
MAX_RATIO = 300
"""Tables pack to a tenth, the most uniform to a hundredth; the most that a zip can do is a thousandth."""
_SUSPECT_BYTES = 1 << 30
_SAFE_NAME = re.compile(r"\w[\w. ()+-]{0,99}")
_LISTED = 10
_NO_DATA = ("__MACOSX/", ".DS_Store", "Thumbs.db")


def is_zip(path: Path) -> bool:
    """Whether a file is a zip archive, by its first bytes; an empty archive counts."""
    with path.open("rb") as file:
        return file.read(4) in {b"PK\x03\x04", b"PK\x05\x06"}


def extracted(path: Path, member: str | None, scratch: Path) -> Path:
    """Copy the data file of a zip to `scratch`: the one named `member`, or the only one.

    The member's own path is never used to write, so that `../` in it leads nowhere.

    Raises:
        UsageError: there is no such member, or there are several; it is encrypted, damaged or a bomb.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            info = _chosen(path, archive, member)
            _guard(path, info)
            target = scratch / "members" / _safe_name(info.filename)
            target.parent.mkdir(parents=True, exist_ok=True)
            _check_room(path, info, target.parent)
            with archive.open(info) as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
            return target
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, ValueError) as error:
        msg = f"{path.name} is a damaged archive: {error}. Fetch it again"
        raise UsageError(msg) from error


def _chosen(path: Path, archive: zipfile.ZipFile, member: str | None) -> zipfile.ZipInfo:
    members = [i for i in archive.infolist() if not i.is_dir() and not _is_noise(i.filename)]
    infos = {i.filename: i for i in members}
    if len(infos) < len(members):
        raise UsageError(f"{path.name} has several files of one name, of which only one could be read; unpack it")
    if "[Content_Types].xml" in infos:
        msg = f"{path.name} is an office document; reading those is not built yet. Save it as CSV."
        raise UsageError(msg)
    if member is not None:
        if member not in infos:
            msg = f"{path.name} has no member '{member}'.{did_you_mean(member, infos)} It has {_listed(infos)}."
            raise UsageError(msg)
        return infos[member]
    if len(infos) != 1:
        if not infos:
            raise UsageError(f"{path.name} has no file in it")
        example = next(iter(sorted(infos)))
        msg = (
            f"{path.name} has several files: {_listed(infos)}. A source reads one of them: write sources/NAME.yml with "
            f"`from: {path.name}` and `template: {{member: {example}}}`, then: backbone run"
        )
        raise UsageError(msg)
    return next(iter(infos.values()))


def _guard(path: Path, info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 0x1:
        msg = f"{path.name} is encrypted; unpack it first"
        raise UsageError(msg)
    bomb = info.file_size > _SUSPECT_BYTES and info.file_size > MAX_RATIO * max(info.compress_size, 1)
    if bomb or info.file_size > MAX_MEMBER_BYTES:
        msg = f"{path.name} would unpack to {info.file_size:,} bytes, which looks like a trap; unpack it yourself"
        raise UsageError(msg)


def _check_room(path: Path, info: zipfile.ZipInfo, folder: Path) -> None:
    if info.file_size > shutil.disk_usage(folder).free:
        msg = f"{path.name} would unpack to {info.file_size:,} bytes, for which {folder} has no room"
        raise UsageError(msg)


def _safe_name(name: str) -> str:
    """A member's own name without its folders, where a file can be called so; its ending says what it is."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return last if _SAFE_NAME.fullmatch(last) else "member"


def _is_noise(name: str) -> bool:
    return name.startswith(_NO_DATA) or name.rpartition("/")[2] in _NO_DATA


def _listed(infos: dict[str, zipfile.ZipInfo]) -> str:
    names = sorted(infos)
    return ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
