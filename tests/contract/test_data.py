"""Data is kept alike in a folder and in an object store: one suite over both."""

import hashlib
import os
import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest
from s3_server import BUCKET
from urllib3.exceptions import ProtocolError

from backbone.errors import LakeError
from backbone.storage import s3 as storage_s3
from backbone.storage.folder import FolderData
from backbone.storage.s3 import S3Data


@pytest.fixture(params=["folder", "s3"])
def data(request, tmp_path):
    if request.param == "folder":
        return FolderData(tmp_path / "data")
    request.getfixturevalue("s3")
    return S3Data(BUCKET, f"contract/{secrets.token_hex(4)}")


@pytest.fixture
def file(tmp_path):
    """Make a local file with some content."""

    def make(content: bytes, name: str = "file"):
        path = tmp_path / f"{name}-{secrets.token_hex(4)}"
        path.write_bytes(content)
        return path

    return make


def digest(content):
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("content", [b"", b"some bytes\n", bytes(range(256)) * 5000], ids=["empty", "small", "larger"])
def test_what_is_put_is_fetched_as_it_was(data, file, tmp_path, content):
    data.put("tables/trusted/a/r1-0.parquet", file(content))

    fetched = data.fetch("tables/trusted/a/r1-0.parquet", tmp_path / "new" / "folder" / "copy")

    assert fetched == digest(content) == data.sha256("tables/trusted/a/r1-0.parquet")
    assert (tmp_path / "new/folder/copy").read_bytes() == content


def test_what_is_fetched_is_surely_on_the_disk(data, file, tmp_path, monkeypatch):
    data.put("a", file(b"some bytes"))
    flush, flushed = os.fsync, []

    def flush_and_note(descriptor):
        flushed.append(os.fstat(descriptor))
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", flush_and_note)
    data.fetch("a", tmp_path / "copy")

    assert [(one.st_ino, one.st_size) for one in flushed] == [((tmp_path / "copy").stat().st_ino, 10)]


@pytest.mark.usefixtures("s3")
def test_a_connection_that_broke_is_given_back_before_the_next_is_taken(file, monkeypatch):
    data = S3Data(BUCKET, f"contract/{secrets.token_hex(4)}")
    content = secrets.token_bytes(5 << 20)
    data.put("a", file(content))
    client, bodies = storage_s3.client(), []

    class Broken:
        """A body whose connection breaks after its first bytes, where it is the first one."""

        def __init__(self, body):
            self._body, self._first = body, not bodies
            self.close = body.close
            bodies.append(body)

        def iter_chunks(self, size):
            for chunk in self._body.iter_chunks(size):
                yield chunk
                if self._first:
                    raise ProtocolError("Connection broken")

    class Breaking:
        """A client that gives such bodies."""

        def get_object(self, **options):
            assert all(body._raw_stream.closed for body in bodies)
            response = client.get_object(**options)
            return {**response, "Body": Broken(response["Body"])}

    monkeypatch.setattr(storage_s3, "client", Breaking)
    assert data.sha256("a") == digest(content)
    assert len(bodies) == 2


def test_a_file_of_several_parts_is_put_whole(data, file, tmp_path, monkeypatch):
    monkeypatch.setattr(storage_s3, "PART_BYTES", 5 << 20)
    content = secrets.token_bytes(12 << 20)

    data.put("large", file(content))

    assert data.fetch("large", tmp_path / "copy") == digest(content)
    assert data.sizes(["large"]) == {"large": 12 << 20}


def test_what_is_not_there_is_told_as_nothing(data, tmp_path):
    assert data.sha256("none") is None
    assert data.fetch("none", tmp_path / "copy") is None
    assert not (tmp_path / "copy").exists()
    assert data.sizes(["none", "no/ne"]) == {}
    assert list(data.list("none")) == []


def test_names_sizes_and_times_are_listed(data, file):
    for name in ("tables/a/x.parquet", "tables/a/y.parquet", "tables/ab/z.parquet", "models/m"):
        data.put(name, file(name.encode()))

    assert [(one.name, one.bytes) for one in data.list("tables/")] == [
        ("tables/a/x.parquet", 18),
        ("tables/a/y.parquet", 18),
        ("tables/ab/z.parquet", 19),
    ]
    assert [one.name for one in data.list("tables/a/x")] == ["tables/a/x.parquet"]
    assert [one.name for one in data.list("tables/a")] == [
        "tables/a/x.parquet",
        "tables/a/y.parquet",
        "tables/ab/z.parquet",
    ]
    assert len(list(data.list(""))) == 4
    assert all(one.modified.tzinfo for one in data.list(""))


def test_sizes_of_many_are_told_as_those_of_few(data, file, monkeypatch):
    monkeypatch.setattr(storage_s3, "_MANY", 2)
    names = [f"tables/a/{number}" for number in range(4)]
    for number, name in enumerate(names):
        data.put(name, file(b"x" * number))
    data.put("tables/a/other", file(b"1234567"))

    assert data.sizes([*names, "tables/a/none"]) == {name: number for number, name in enumerate(names)}


def test_the_same_file_put_again_is_no_trouble(data, file):
    data.put("a", file(b"1"))
    data.put("a", file(b"1"))

    assert data.sha256("a") == digest(b"1")


def test_another_file_never_takes_the_place_of_one(data, file):
    data.put("a", file(b"first"))

    with pytest.raises(LakeError, match="is there already, and is another file"):
        data.put("a", file(b"other"))

    assert data.sha256("a") == digest(b"first")
    data.put("a", file(b"other"), again=True)
    assert data.sha256("a") == digest(b"other")


def test_of_many_who_put_one_name_at_once_one_wins(data, file):
    contents = [f"content {number}".encode() for number in range(6)]

    def put(path):
        try:
            data.put("raced", path)
        except LakeError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(put, [file(content) for content in contents]))

    assert won.count(True) == 1
    assert data.sha256("raced") == digest(contents[won.index(True)])


def test_what_is_removed_is_gone_once_and_for_all(data, file):
    for name in ("a/1", "a/2", "a/3"):
        data.put(name, file(b"1"))

    data.remove(["a/1", "a/3", "a/none"])
    data.remove([])
    data.remove(["a/1"])

    assert [one.name for one in data.list("a/")] == ["a/2"]


def test_a_part_of_it_is_seen_from_inside(data, file):
    inside = data.inside("landing").inside("persistent")

    inside.put("orders/a.csv", file(b"1"))

    assert [one.name for one in data.list("")] == ["landing/persistent/orders/a.csv"]
    assert [one.name for one in inside.list("orders/")] == ["orders/a.csv"]
    assert inside.uri("orders/a.csv") == data.uri("landing/persistent/orders/a.csv")


@pytest.mark.parametrize("name", ["a b/ü.csv", "a/[x]*?.csv", "a/%41+&=#.csv", "a/…/«q».csv"])
def test_any_name_is_a_name(data, file, tmp_path, name):
    data.put(name, file(b"1"))

    assert [one.name for one in data.list("")] == [name]
    assert data.sizes([name]) == {name: 1}
    assert data.fetch(name, tmp_path / "copy") == digest(b"1")
    data.remove([name])
    assert list(data.list("")) == []
