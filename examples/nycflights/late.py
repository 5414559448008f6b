"""Makes a thirteenth delivery, `data/flights-2013-13.csv`: what arrives after the year is over. Run it in the project.

It is made up, unlike the other twelve, but always the same: 1,204 records, of which 1,174 correct the times of
flights of the last days of December, 25 are flights that nobody had reported, 4 are not fit to be trusted
(two without a destination, one without a schedule, one that arrived without having been in the air) and one can't be
read (a delay that is no number).
"""

import csv
import json
from pathlib import Path

CORRECTIONS, LATE = 1174, 25
DAYS = ("30", "31")
DAY_MINUTES = 24 * 60
Flight = dict[str, str]


def late(folder: Path) -> Path:
    """Write the thirteenth delivery of the project in `folder`, from its December; return its path."""
    data = folder / "data"
    with (data / "flights-2013-12.csv").open(encoding="utf-8", newline="") as file:
        december = list(csv.DictReader(file))
    tailnums = {plane["tailnum"] for plane in json.loads((data / "planes.json").read_text(encoding="utf-8"))}
    path = data / "flights-2013-13.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, december[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records(december, tailnums))
    return path


def records(december: list[Flight], tailnums: set[str]) -> list[Flight]:
    """The delivery's records in their order. Those not fit to be trusted are records 118, 377, 640, 901 and 1,102."""
    flown = [flight for flight in december if flight["arr_delay"] != "NA" and flight["dep_delay"] != "NA"]
    last = [flight for flight in flown if flight["day"] in DAYS]
    eve = next(flight for flight in flown if flight["day"] == "29" and flight["carrier"] == "UA")
    known = [flight for flight in last if flight["tailnum"] in tailnums]
    unfit, corrected = last[:5], [eve, *one_each(last[5:])]
    corrected += [flight for flight in last[5:] if flight not in corrected][: CORRECTIONS - len(corrected)]
    extra = [flight | {"flight": str(9001 + i)} for i, flight in enumerate(known[100 : 100 + LATE])]
    delivered = [correction(flight, i) for i, flight in enumerate(corrected)] + extra
    spoilt = ({"dest": "NA"}, {"dep_delay": "n/k"}, {"air_time": "NA"}, {"sched_dep_time": "NA"}, {"dest": "NA"})
    for record, flight, wrong in zip((118, 377, 640, 901, 1102), unfit, spoilt, strict=True):
        delivered.insert(record - 1, flight | wrong)
    return delivered


def one_each(flights: list[Flight]) -> list[Flight]:
    """The first flight of each carrier on each day, so that every one of these groups changes."""
    first: dict[tuple[str, str], Flight] = {}
    for flight in flights:
        first.setdefault((flight["carrier"], flight["day"]), flight)
    return list(first.values())


def correction(flight: Flight, number: int) -> Flight:
    """The same flight with an arrival 5 minutes earlier to 15 later; every third one left at another time, too."""
    minutes = number * 7 % 21 - 5 or 1
    moved = ("arr",) if number % 3 else ("arr", "dep")
    return flight | {name: value for end in moved for name, value in shifted(flight, end, minutes).items()}


def shifted(flight: Flight, end: str, minutes: int) -> Flight:
    """Time and delay of a departure (`dep`) or an arrival (`arr`), moved. Midnight is 2400, as in the source."""
    clock, delay = int(flight[f"{end}_time"]), int(flight[f"{end}_delay"])
    minute = (clock // 100 * 60 + clock % 100 + minutes) % DAY_MINUTES or DAY_MINUTES
    return {f"{end}_time": str(minute // 60 * 100 + minute % 60), f"{end}_delay": str(delay + minutes)}


if __name__ == "__main__":
    late(Path(__file__).parent)
