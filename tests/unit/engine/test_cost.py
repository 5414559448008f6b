"""What a block of work costs, measured beside it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from backbone.engine.cost import measured

MB = 1_000_000
LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")


def test_time_and_processor_time_are_those_of_the_block() -> None:
    with measured() as cost:
        time.sleep(0.05)

    assert cost.seconds >= 0.05
    assert cost.cpu_seconds < cost.seconds


@LINUX
def test_a_new_peak_is_exact_however_short() -> None:
    code = (
        "from backbone.engine.cost import measured\n"
        "with measured() as cost:\n"
        "    some = bytearray(b'x') * 300_000_000\n"
        "    del some\n"
        "print(cost.peak_memory_bytes)"
    )

    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)

    assert 300 * MB <= int(done.stdout) < 360 * MB


@LINUX
def test_a_lower_peak_after_a_higher_one_is_seen_and_the_higher_one_forgotten_by_nobody() -> None:
    code = (
        "import resource, time\n"
        "from backbone.engine.cost import measured\n"
        "with measured() as whole:\n"
        "    with measured() as first:\n"
        "        bytearray(b'x') * 300_000_000\n"
        "    with measured() as second:\n"
        "        some = bytearray(b'x') * 100_000_000\n"
        "        time.sleep(0.2)\n"
        "        del some\n"
        "used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "print(whole.peak_memory_bytes, first.peak_memory_bytes, second.peak_memory_bytes, used)"
    )

    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    whole, first, second, used = map(int, done.stdout.split())

    assert whole >= first >= 300 * MB
    assert 100 * MB <= second < 160 * MB
    assert used >= 300 * MB


def test_a_block_that_fails_is_measured_too() -> None:
    with pytest.raises(ValueError, match="no"), measured() as cost:
        raise ValueError("no")

    assert cost.peak_memory_bytes > 0
