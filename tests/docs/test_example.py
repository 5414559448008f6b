"""The example's deliveries: the real ones keep every byte, the made-up one is always the same."""

import csv
import json
import runpy
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "nycflights"


def test_deliveries_hold_every_flight_once_and_the_thirteenth_what_it_says(tmp_path: Path) -> None:
    paths = runpy.run_path(str(EXAMPLE / "deliver.py"))["deliver"](tmp_path)
    thirteenth = runpy.run_path(str(EXAMPLE / "late.py"))["late"](tmp_path)

    months = [path.read_bytes().splitlines() for path in paths if path.name.startswith("flights")]
    assert len(months) == 12
    assert sum(len(lines) - 1 for lines in months) == 336_776
    assert len({tuple(lines[:1]) for lines in months}) == 1
    planes = json.loads((tmp_path / "data" / "planes.json").read_text(encoding="utf-8"))
    assert (len(planes), planes[0]["seats"], planes[0]["speed"]) == (3_322, 55, None)
    with thirteenth.open(encoding="utf-8", newline="") as file:
        late = list(csv.DictReader(file))
    keys = {(row["carrier"], row["flight"], row["origin"], row["time_hour"]) for row in late}
    assert (len(late), len(keys)) == (1_204, 1_204)
    assert [number for number, row in enumerate(late, 1) if row["dest"] == "NA"] == [118, 1102]
    assert sum(int(row["flight"]) > 9000 for row in late) == 25
