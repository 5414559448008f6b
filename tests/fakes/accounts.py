"""Two accounts of which one is given what the other takes: all that is read at one snapshot sums to nothing."""

from pathlib import Path

from faults_shop import deliver

ACCOUNTS = {
    "backbone.yml": "name: bank\n",
    "sources/plus.yml": "from: data/plus-*.csv\ncolumns: {n: integer, amount: integer}\n",
    "sources/minus.yml": "from: data/minus-*.csv\ncolumns: {n: integer, amount: integer}\n",
    "exploitation/sums.sql": "SELECT sum(amount) AS amount FROM trusted.plus\n",
}
QUESTION = """
    SELECT (SELECT sum(amount) FROM trusted.plus) + (SELECT sum(amount) FROM formatted.minus),
        (SELECT sum(amount) FROM trusted.plus) - (SELECT amount FROM exploitation.sums),
        (SELECT count(*) FROM trusted.plus)"""
"""Answered with 0 and 0, and how many rows there are, at every snapshot."""


def deliver_both(root: Path, number: int) -> None:
    """What is added on one side is taken on the other."""
    for name, sign in (("plus", 1), ("minus", -1)):
        rows = "".join(f"{number * 10 + i},{sign * (number + i)}\n" for i in range(5))
        deliver(root, {f"{name}-{number}.csv": f"n,amount\n{rows}"})
