import resource
import sys
from threading import Barrier, Thread

import pytest

from backbone.lake.ceiling import ceiling

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be told")
MB = 1 << 20


def limits():
    return resource.getrlimit(resource.RLIMIT_DATA)


def test_what_goes_beyond_is_not_given_and_the_limit_goes_with_the_block():
    before = limits()

    with ceiling(50 * MB):
        assert len(bytearray(20 * MB)) == 20 * MB
        with pytest.raises(MemoryError):
            bytearray(200 * MB)

    assert limits() == before
    assert len(bytearray(200 * MB)) == 200 * MB


def test_a_limit_that_is_there_already_is_kept():
    before = limits()
    resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, before[1]))
    try:
        with ceiling(1 << 40):
            assert limits()[0] == 8 << 30
        assert limits()[0] == 8 << 30
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def test_blocks_side_by_side_leave_the_limit_as_it_was():
    before, both, seen = limits(), Barrier(2), []

    def work():
        with ceiling(1 << 30):
            both.wait()
            seen.append(limits()[0])

    threads = [Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 2
    assert all(limit != before[0] for limit in seen[:1])
    assert limits() == before
