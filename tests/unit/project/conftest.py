"""A small project in a folder, and variations of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

BASE = {
    "backbone.yml": "name: shop\n",
    "sources/orders.yml": (
        "from: data/orders.csv\n"
        "columns: {id: integer, customer: text, amount: decimal(2), placed: date, note: text}\n"
        "file_name: {pattern: 'orders-(\\d{4})\\.csv', into: {file_year: integer}}\n"
    ),
    "sources/customers.yml": "columns: {id: text, name: text}\n",
    "trusted/customers.yml": "key: id\n",
    "exploitation/big.sql": "SELECT customer, sum(amount) AS total FROM trusted.orders GROUP BY ALL\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Writes a project's files: those of BASE, changed and added to."""

    def write(changed: dict[str, str | bytes] | None = None) -> Path:
        for path, text in {**BASE, **(changed or {})}.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return write
