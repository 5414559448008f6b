"""Two snapshots of artists with lists of genres, and of events with messy prices: no option is written by hand."""

import pytest

from backbone.model.reports import RunReport
from backbone.workspace import Workspace

from .conftest import Ask, asking, made

SOURCES = {"spotify": "spotify_data_V*.json", "tickets": "ticketmaster_data_V*.json"}


@pytest.fixture(scope="session")
def concerts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, RunReport]:
    workspace = made("spotify_tickets", tmp_path_factory.mktemp("concerts"), SOURCES)
    return workspace, workspace.run()


@pytest.fixture
def ask(concerts: tuple[Workspace, RunReport]) -> Ask:
    return asking(concerts[0])


def test_every_record_is_trusted(concerts: tuple[Workspace, RunReport], ask: Ask) -> None:
    workspace, report = concerts

    assert report.status == "published"
    assert workspace.quarantine().total == 0
    per_file = "SELECT _file, count(*) FROM trusted.{} GROUP BY 1 ORDER BY 1"
    assert [n for _, n in ask(per_file.format("spotify"))] == [373, 373]
    assert [n for _, n in ask(per_file.format("tickets"))] == [3286, 3147]
    assert workspace.run().status == "nothing"


def test_rows_are_as_distinct_as_the_records(ask: Ask) -> None:
    rows = "(SELECT artist, genres, followers, popularity FROM trusted.spotify)"
    assert ask(f"SELECT count(*) FROM (SELECT DISTINCT * FROM {rows})") == [(736,)]
    assert ask("SELECT count(*) FROM exploitation.events") == [(3630,)]
    assert ask("SELECT count(DISTINCT artist) FROM trusted.tickets") == [(348,)]


def test_lists_stay_lists(ask: Ask) -> None:
    counts = "SELECT sum(len(genres)), count(*) FILTER (len(genres) = 0), count(DISTINCT artist) FROM trusted.spotify"
    assert ask(counts) == [(2029, 70, 383)]
    assert ask("SELECT count(*), count(DISTINCT genre) FROM exploitation.genres") == [(2029, 387)]


def test_artists_changed_between_the_files(ask: Ask) -> None:
    both = "(SELECT DISTINCT ON (artist, _file) artist, _file, followers, popularity FROM trusted.spotify)"
    compared = f"{both} AS a JOIN {both} AS b ON a.artist = b.artist AND a._file < b._file"
    changed = "count(*), count_if(a.followers <> b.followers), count_if(a.popularity <> b.popularity)"
    assert ask(f"SELECT {changed} FROM {compared}") == [(355, 352, 72)]


def test_what_means_missing_is_missing_and_what_looks_like_it_is_not(ask: Ask) -> None:
    counts = "count(*) FILTER (time IS NULL), count(*) FILTER (price_range IS NULL), count(*) FILTER (date IS NULL)"
    assert ask(f"SELECT {counts} FROM trusted.tickets") == [(176, 2376, 0)]
    names = "venue IN ('ROGERS ARENA', 'ING ARENA', 'Rudolf Weber-ARENA')"
    assert ask(f"SELECT venue, count(*) FROM trusted.tickets WHERE {names} GROUP BY 1 ORDER BY 1") == [
        ("ING ARENA", 6), ("ROGERS ARENA", 17), ("Rudolf Weber-ARENA", 2)
    ]  # fmt: skip
    artists = "SELECT artist, count(*) FROM trusted.tickets WHERE artist IN ('ANNA', 'IONA') GROUP BY 1 ORDER BY 1"
    assert ask(artists) == [("ANNA", 40), ("IONA", 40)]
    assert ask("SELECT count(*) FROM trusted.tickets WHERE location LIKE '%N/A%'") == [(323,)]


def test_prices_have_their_currencies(ask: Ask) -> None:
    assert dict(ask("SELECT currency, count(*) FROM exploitation.events WHERE currency IS NOT NULL GROUP BY 1")) == {
        "USD": 1526, "GBP": 289, "EUR": 238, "CAD": 121, "MXN": 70, "AUD": 54, "NZD": 21,
        "PLN": 13, "CZK": 12, "DKK": 12, "SEK": 11, "ZAR": 6, "AED": 5, "NOK": 1,
    }  # fmt: skip
    numeric = "regexp_full_match(price_range, '[0-9.]+-[0-9.]+ [A-Z]{3}')"
    assert ask(f"SELECT count(*) FROM trusted.tickets WHERE {numeric}") == [(3856,)]


def test_dates_far_away_are_dates(ask: Ask) -> None:
    far = "SELECT date::VARCHAR, count(*) FROM trusted.tickets WHERE date > '2027-01-01' GROUP BY 1 ORDER BY 1"
    assert ask(far) == [("2099-01-10", 2), ("2099-12-31", 4), ("2999-01-10", 2)]
