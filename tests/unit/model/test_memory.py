import pytest

from backbone.model.memory import memory_bytes


@pytest.mark.parametrize(
    ("amount", "size"),
    [
        ("4GB", 4_000_000_000),
        ("512MB", 512_000_000),
        ("1.5 GiB", 3 * 2**29),
        ("1KiB", 1024),
        ("2TB", 2 * 10**12),
        ("0MB", 0),
        ("50%", None),
        ("much", None),
        ("4", None),
        ("-1GB", None),
        ("9" * 30 + "GB", None),
    ],
)
def test_amounts(amount, size):
    assert memory_bytes(amount) == size
