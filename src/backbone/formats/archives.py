"""Archives and packed files: the data files in them, copied out to a scratch folder."""

import bz2
import gzip
import hashlib
import lzma
import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, Any

from backbone.errors import MissingExtraError, UsageError, did_you_mean

MAX_MEMBER_BYTES = 64 << 30
MAX_MEMBERS = 10_000
MAX_RATIO = 300
"""Tables pack to a tenth, the most uniform to a hundredth; the most that a zip can do is a thousandth."""
_SUSPECT_BYTES = 1 << 30
_SAFE_NAME = re.compile(r"\w[\w. ()+-]{0,99}")
_LISTED = 10
_NO_DATA = ("__MACOSX/", ".DS_Store", "Thumbs.db")
_CHUNK = 1 << 20
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    tarfile.TarError,
    gzip.BadGzipFile,
    NotImplementedError,
    EOFError,
    OSError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Member:
    """A data file in an archive. `packed` is what it takes there: `size` if nobody knows."""

    name: str
    size: int
    packed: int
    open: Callable[[], IO[bytes]]
    encrypted: bool = False


def is_archive(path: Path) -> bool:
    """Whether a file is an archive or packed, by its first bytes; documents that are zip files inside are none."""
    with path.open("rb") as file:
        head = file.read(512)
    if head.startswith(_ZIPS):
        return not _is_document(path)
    return _packing(head) is not None or _is_tar(head)


def opened(path: Path, member: str | None, scratch: Path) -> tuple[Path, ...]:
    """Copy the data files of an archive to `scratch`, by their names: those that `member`, a name or pattern, says.

    A member's own path is never used to write, so that `../` in it leads nowhere.

    Raises:
        UsageError: there is no such member; it is encrypted, damaged or a bomb.
    """
    with path.open("rb") as file:
        head = file.read(512)
    try:
        if packing := _packing(head):
            file_path = _unpacked(path, packing, scratch)
            with file_path.open("rb") as file:
                head = file.read(512)
            if not _is_tar(head):
                return _only(path, file_path, member)
            return _extracted_tar(path, file_path, member, scratch)
        if _is_tar(head):
            return _extracted_tar(path, path, member, scratch)
        with zipfile.ZipFile(path) as archive:
            return _extracted(path, _zip_members(archive), member, scratch)
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's trouble, not the archive's
            raise
        raise UsageError(
            f"{path.name} is a damaged archive: {error or type(error).__name__}. Fetch it again"
        ) from error


def _packing(head: bytes) -> Callable[[Path], Any] | None:
    """How a packed file is opened, by its first bytes."""
    openers: dict[bytes, Callable[[Path], Any]] = {
        b"\x1f\x8b": gzip.open,
        b"BZh": bz2.open,
        b"\xfd7zXZ\x00": lzma.open,
        b"(\xb5/\xfd": _open_zstd,
    }
    return next((open_it for magic, open_it in openers.items() if head.startswith(magic)), None)


def _open_zstd(path: Path) -> Any:
    try:
        from compression import zstd  # type: ignore[import-not-found]  # Python 3.14
    except ImportError:
        try:
            from backports import zstd
        except ImportError as error:
            raise MissingExtraError("Reading what zstandard packed", "zstd") from error
    return zstd.open(path)


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


def _is_document(path: Path) -> bool:
    """Whether a zip file is an office document, an e-book and the like: they say so by the name of a member."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return path.suffix.lower() in {".xlsx", ".xlsm", ".xlsb", ".ods", ".docx", ".pptx", ".odt"}
    return "[Content_Types].xml" in names or "mimetype" in names


def _unpacked(path: Path, opener: Callable[[Path], Any], scratch: Path) -> Path:
    name = path.stem if path.suffix.lower() != ".tgz" else f"{path.stem}.tar"
    target = _target(path, name, scratch)
    packed = path.stat().st_size
    if not target.exists():
        part = target.with_name("part")
        with opener(path) as source, part.open("wb") as copy:
            _copy(path, source, copy, packed)
        part.replace(target)
    return target


def _only(path: Path, unpacked: Path, member: str | None) -> tuple[Path, ...]:
    if member is not None and not fnmatchcase(unpacked.name, member):
        raise UsageError(f"{path.name} is one packed file, so that there is no member '{member}'. Leave `member` out")
    return (unpacked,)


def _extracted_tar(path: Path, file: Path, member: str | None, scratch: Path) -> tuple[Path, ...]:
    with tarfile.open(file, "r:") as archive:
        members = [_tar_member(archive, info) for info in archive if info.isreg()]
        return _extracted(path, members, member, scratch)


def _tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    def opening() -> IO[bytes]:
        file = archive.extractfile(info)
        if file is None:
            raise tarfile.ReadError(f"{info.name} is no file")
        return file

    return Member(info.name, info.size, info.size, opening)


def _zip_members(archive: zipfile.ZipFile) -> list[Member]:
    return [
        Member(i.filename, i.file_size, i.compress_size, lambda i=i: archive.open(i), bool(i.flag_bits & 0x1))  # type: ignore[misc]  # a lambda's default has no type
        for i in archive.infolist()
        if not i.is_dir()
    ]


def _extracted(path: Path, members: Sequence[Member], wanted: str | None, scratch: Path) -> tuple[Path, ...]:
    scratch.mkdir(parents=True, exist_ok=True)
    chosen = _chosen(path, [one for one in members if not _is_noise(one.name)], wanted)
    for one in chosen:
        _guard(path, one, scratch)
    return tuple(_copied(path, one, scratch) for one in chosen)


def _chosen(path: Path, members: Sequence[Member], wanted: str | None) -> list[Member]:
    found = {one.name: one for one in sorted(members, key=lambda one: one.name)}
    if len(found) < len(members):
        raise UsageError(f"{path.name} has several files of one name, of which only one could be read; unpack it")
    if not found:
        raise UsageError(f"{path.name} has no file in it")
    chosen = [one for name, one in found.items() if wanted in {None, name}]
    chosen = chosen or [one for name, one in found.items() if fnmatchcase(name, str(wanted))]
    if not chosen:
        near = did_you_mean(str(wanted), found)
        raise UsageError(f"{path.name} has no member '{wanted}'.{near} It has {listed(list(found))}.")
    if len(chosen) > MAX_MEMBERS:
        raise UsageError(
            f"{path.name} has {len(chosen):,} files, more than {MAX_MEMBERS:,}. Unpack it, and add the folder"
        )
    return chosen


def _copied(path: Path, member: Member, scratch: Path) -> Path:
    target = _target(path, member.name, scratch)
    if not target.exists():
        part = target.with_name("part")
        with member.open() as source, part.open("wb") as copy:
            _copy(path, source, copy, member.packed)
        part.replace(target)
    return target


def _target(path: Path, name: str, scratch: Path) -> Path:
    """Where a member is copied to: a folder of its own, so that its name may be that of others, and its own name."""
    folder = scratch / "members" / hashlib.sha256(f"{path}\0{name}".encode(errors="surrogateescape")).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder / _safe_name(name)


def _copy(path: Path, source: IO[bytes], copy: IO[bytes], packed: int) -> None:
    """Copy as long as it is no trap: what an archive says of sizes needn't be true."""
    written = 0
    while chunk := source.read(_CHUNK):
        written += len(chunk)
        if _is_trap(written, packed):
            raise _trap(path, written, "more than")
        copy.write(chunk)


def _guard(path: Path, member: Member, scratch: Path) -> None:
    if member.encrypted:
        raise UsageError(f"{path.name} is encrypted; unpack it first")
    if _is_trap(member.size, member.packed):
        raise _trap(path, member.size)
    if member.size > shutil.disk_usage(scratch).free:
        raise UsageError(f"{path.name} would unpack to {member.size:,} bytes, for which {scratch} has no room")


def _is_trap(size: int, packed: int) -> bool:
    return size > MAX_MEMBER_BYTES or (size > _SUSPECT_BYTES and size > MAX_RATIO * max(packed, 1))


def _trap(path: Path, size: int, about: str = "") -> UsageError:
    words = f"{about} {size:,}".strip()
    return UsageError(f"{path.name} would unpack to {words} bytes, which looks like a trap; unpack it yourself")


def _safe_name(name: str) -> str:
    """A member's own name without its folders, where a file can be called so; its ending says what it is."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return last if _SAFE_NAME.fullmatch(last) and last != "part" else "member"


def _is_noise(name: str) -> bool:
    return name.startswith(_NO_DATA) or name.rpartition("/")[2] in _NO_DATA or name.rpartition("/")[2].startswith("._")


def listed(names: Sequence[str]) -> str:
    """Some names, and how many more."""
    return ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")
